/** Outputs of real spools, indexed in a real ledger: what is found is what is there, whatever the index thinks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { createSpool } from '../../src/adapters/output/spool.ts';
import type { RunFilter, RunLedger, RunOutput } from '../../src/core/ports.ts';
import type { OutputStream } from '../../src/core/run.ts';
import { foldCase } from '../../src/core/text-search.ts';
import { indexOutput, MAX_INDEXED_BYTES, searchOutputs } from '../../src/engine/search.ts';
import { tries } from '../helpers/property.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, resultOf, runIdOf, timeOf } from '../helpers/records.ts';

type Written = readonly (readonly [OutputStream, string | Buffer])[];

let folder = '';
let ledger: RunLedger;
let output: RunOutput;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'search-'));
  ledger = openSqliteLedger(path.join(folder, 'ledger.sqlite'));
  output = createSpool(folder);
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A run that printed this and has ended. */
async function ran(n: number, written: Written, { isIndexed = true, cap = 1024 ** 2, subject = 'anna' } = {}) {
  const record = queuedRun(n);
  await ledger.enqueue({ ...record, who: { ...record.who, subject } }, OWNER, DOCUMENT);
  await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
  const spool = output.open(runIdOf(n), cap);
  for (const [stream, text] of written) spool.write(0, stream, Buffer.from(text));
  const result = resultOf(n, { output: spool.close() });
  await ledger.finish(runIdOf(n), result);
  if (isIndexed) await indexOutput({ ledger, output }, result);
}

async function find(text: string, filter: Partial<RunFilter> = {}) {
  const { found, more, notSearched } = await searchOutputs({ ledger, output }, text, { limit: 100, ...filter });
  return { runs: found.map(({ run }) => Number(run.runId.slice(6))), more, notSearched, found };
}

async function candidates(text: string): Promise<readonly number[]> {
  const runs: number[] = [];
  for await (const { runId } of ledger.searchOutput(text, { limit: 2 })) runs.push(Number(runId.slice(6)));
  return runs;
}

describe('text in outputs', () => {
  test('is found whatever its case, newest first, with its lines', async () => {
    await ran(1, [['stdout', 'one\nConnection REFUSED by db-1\ntwo\n']]);
    await ran(2, [['stdout', 'fine\n']]);
    await ran(3, [
      ['stderr', 'connection ref'],
      ['stdout', 'unrelated'],
      ['stderr', 'used\nRefused again\n'],
    ]);
    const { found, more, notSearched } = await find('refused');
    expect(found.map(({ run, lines }) => [run.runId, lines])).toEqual([
      [
        runIdOf(3),
        [
          { stream: 'stderr', text: 'connection refused' },
          { stream: 'stderr', text: 'Refused again' },
        ],
      ],
      [runIdOf(1), [{ stream: 'stdout', text: 'Connection REFUSED by db-1' }]],
    ]);
    expect([more, notSearched]).toEqual([false, 0]);
    expect(await candidates('refused')).toEqual([3, 1]);
    expect(await candidates('nowhere')).toEqual([]);
  });

  test('is text of one stream, as it was printed, on one side of what is missing', async () => {
    await ran(1, [
      ['stdout', 'nee'],
      ['stderr', 'dle'],
    ]);
    await ran(2, [['stdout', `${'a'.repeat(95)}needx${'y'.repeat(300)}le${'b'.repeat(98)}`]], { cap: 200 });
    await ran(3, [
      ['stdout', Buffer.from([0xc3])],
      ['stderr', 'x'],
      ['stdout', Buffer.from([0xa4, 0x72, 0x7a])],
    ]);
    expect((await find('needle')).runs).toEqual([]);
    expect((await find('needxle')).runs).toEqual([]);
    expect((await find('ÄRZ')).runs).toEqual([3]);
  });

  test.each([
    ['quotes', 'say "hi" or \'ho\'', '"hi"'],
    ['operators', 'a AND b OR NOT c NEAR(d e) * ^ : { } ( ) + - , ;', 'AND b OR NOT c NEAR(d e) * ^ : { } ( ) + -'],
    ['only operators', '((("""***---', '("""*'],
    ['a column name', 'text: output_text: rank', 'text: output_text: ra'],
    ['a wildcard of SQL', '100 % done_', '% done_'],
    ['NUL', 'a\0b\0c needle', 'b\0c'],
    ['behind a NUL', 'a\0b needle', 'needle'],
    ['an umlaut', 'Übergröße', 'ÜBERGRÖSSE'],
    ['a Turkish I', 'İstanbul', 'i\u0307stanbul'],
    ['a dotless i', 'd\u0131ş kapı', 'DIŞ KAPI'],
    ['a long s and a Kelvin sign', 'ſtop 300 \u212a', 'STOP 300 k'],
    ['a ligature', 'o\ufb03ce', 'OFFICE'],
    ['a sigma at the end', 'ΟΔΟΣ ΜΟΥ', 'οδος'],
    ['a combining mark', 'cafe\u0301 noir', 'FE\u0301 N'],
    ['emoji', 'deploy 🚀👩\u200d🚀 done', '🚀👩\u200d🚀'],
    ['what is no UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x62]), 'a\ufffd\ufffdb'],
    ['a byte order mark', '\ufeffabc', '\ufeffab'],
    ['noncharacters', 'x\uffff\ufffey', 'x\uffff\ufffe'],
    ['a line feed', 'one\ntwo', 'e\nt'],
    ['escape sequences', '\u001b[31mred\u001b[0m', '[31mRED'],
  ])('%s', async (_, text, part) => {
    await ran(1, [['stdout', text]]);
    await ran(2, [['stdout', 'something else']]);
    expect((await find(part)).runs).toEqual([1]);
    expect(await candidates(part)).toEqual([1]);
  });

  test('a thousand characters are found, less than three and more are refused', async () => {
    const text = Array.from({ length: 1000 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join('');
    await ran(1, [['stderr', `x${text}y`]]);
    expect((await find(text)).runs).toEqual([1]);
    for (const wrong of ['', 'ab', '😀😀', `${text}y`])
      await expect(find(wrong)).rejects.toMatchObject({ code: 'usage' });
  });

  test('of a long output, of one that is not indexed, and of a run under way is found as well', async () => {
    const line = `${'lorem ipsum '.repeat(10)}\n`;
    const long = `${line.repeat(MAX_INDEXED_BYTES / line.length)}needle\n${line}`;
    await ran(1, [['stdout', long]]);
    await ran(2, [['stdout', 'needle\n']], { isIndexed: false });
    await ledger.enqueue(queuedRun(3), OWNER, DOCUMENT);
    await ledger.begin(runIdOf(3), { startedAt: timeOf(3), containment: REAPER }, null);
    const spool = output.open(runIdOf(3), 1000);
    spool.write(0, 'stdout', Buffer.from('a Needle\n'));
    await ran(4, [['stdout', 'nothing\n']]);
    expect((await find('needle')).runs).toEqual([3, 2, 1]);
    expect(await candidates('nowhere')).toEqual([3, 2, 1]);
    spool.close();
  });

  test('runs that printed nothing or never began are no candidates', async () => {
    await ran(1, []);
    const refusal = { code: 'forbidden', message: 'No.' } as const;
    await ledger.refuse(queuedRun(2, { state: 'refused', refusal }), DOCUMENT, OWNER);
    await ledger.enqueue(queuedRun(3), OWNER, DOCUMENT);
    await ledger.finish(runIdOf(3), resultOf(3, { outcome: 'canceled' }));
    expect(await candidates('needle')).toEqual([]);
    expect((await find('needle')).notSearched).toBe(0);
  });

  test('output that is gone is counted, and not found although the index knew it', async () => {
    for (const n of [1, 2, 3, 4]) await ran(n, [['stdout', 'needle\n']], { subject: n < 3 ? 'anna' : 'bob' });
    await output.remove(runIdOf(1));
    await ledger.forgetOutput([runIdOf(1)]);
    // Removed a moment ago; the ledger is told next.
    await output.remove(runIdOf(3));
    const { runs, notSearched } = await find('needle');
    expect([runs, notSearched]).toEqual([[4, 2], 2]);
    const ofAnna = await find('needle', { subject: 'anna' });
    expect([ofAnna.runs, ofAnna.notSearched]).toEqual([[2], 1]);
    expect((await find('nowhere')).notSearched).toBe(1);
  });

  test('comes by every filter, and no more than are wanted', async () => {
    for (let n = 1; n <= 60; n += 1) {
      await ran(n, [['stdout', n > 5 ? 'needle' : 'hay']], { subject: n % 3 === 0 ? 'anna' : 'bob' });
    }
    // More than are asked for at once.
    const those = Array.from({ length: 55 }, (_, n) => 60 - n);
    expect((await find('needle')).runs).toEqual(those);
    expect(await find('needle', { limit: 3 })).toMatchObject({ runs: [60, 59, 58], more: true });
    expect(await find('needle', { limit: 55 })).toMatchObject({ runs: those, more: false });
    expect((await find('needle', { subject: 'anna', until: timeOf(15) })).runs).toEqual([12, 9, 6]);
    expect((await find('needle', { outcomes: ['failed'] })).runs).toEqual([]);
    expect((await find('needle', { outcomes: ['failed', 'succeeded'], since: timeOf(59) })).runs).toEqual([60, 59]);
  });

  test('is found when it is there, and only then', async () => {
    const unit = fc.constantFrom(
      'a',
      'B',
      'b',
      '"',
      "'",
      '*',
      'ß',
      'ä',
      'Ä',
      'e\u0301',
      'İ',
      'ς',
      'Σ',
      '😀',
      '\n',
      '\0',
    );
    const bytes = fc.oneof(
      { weight: 9, arbitrary: fc.string({ unit, maxLength: 12 }).map((text) => Buffer.from(text)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }).map((raw) => Buffer.from(raw)) },
    );
    // Cut anywhere, so also within a character.
    const written = fc
      .array(fc.tuple(fc.constantFrom<OutputStream>('stdout', 'stderr'), bytes, fc.nat(12)), { maxLength: 6 })
      .map((parts) =>
        parts.flatMap(([stream, all, at]): [OutputStream, Buffer][] => [
          [stream, all.subarray(0, at)],
          [stream === 'stdout' ? 'stderr' : 'stdout', Buffer.from('-')],
          [stream, all.subarray(at)],
        ]),
      );
    let [n, found, spared] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(
        written,
        fc.string({ unit, minLength: 3, maxLength: 5 }),
        fc.nat(),
        async (parts, random, at) => {
          n += 1;
          await ran(n, parts);
          const texts = (['stdout', 'stderr'] as const).map((stream) =>
            new TextDecoder('utf8', { ignoreBOM: true }).decode(
              Buffer.concat(parts.flatMap(([of, some]) => (of === stream ? [some] : []))),
            ),
          );
          // Half of the time something that is there.
          const characters = Array.from(texts[at % 2] ?? '');
          const part = characters.slice(at % 7, (at % 7) + 4);
          const text = part.length >= 3 && at % 4 < 2 ? part.join('').toUpperCase() : random;
          const isThere = texts.some((one) => foldCase(one).includes(foldCase(text)));
          const mine = { since: timeOf(n) };
          expect((await find(text, mine)).runs).toEqual(isThere ? [n] : []);
          found += Number(isThere);
          let isCandidate = false;
          for await (const _ of ledger.searchOutput(text, { ...mine, limit: 1 })) isCandidate = true;
          spared += Number(!isCandidate);
        },
      ),
      tries(150, 10_000),
    );
    console.log(`${n} searches: ${found} found, ${spared} decided by the index alone`);
    expect(found).toBeGreaterThan(n / 8);
    expect(spared).toBeGreaterThan(n / 4);
  });
});
