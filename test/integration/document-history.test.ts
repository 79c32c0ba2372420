import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Parser } from 'commonmark';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMarkdownHistory } from '../../src/adapters/document-history/markdown-file.ts';
import { stampOf } from '../../src/adapters/system/stamp.ts';
import { renderEntry } from '../../src/core/history/document-entry.ts';
import { readEntries } from '../../src/core/history/document-history.ts';
import type { HistoryDocument } from '../../src/core/ports.ts';
import { entryOf } from '../helpers/entries.ts';
import { failureOf } from '../helpers/failure.ts';
import { times } from '../helpers/property.ts';

const DOCUMENT = '# Restart\n\n# Script\n```sh\n# History\necho hi\n```\n';
const COUNTER = join(import.meta.dirname, '../helpers/history-io.ts');
const MIB = 1024 ** 2;
/** Entries of each of four processes. */
const EACH = times(120, 200);
const WRITER = join(import.meta.dirname, '../helpers/history-writer.ts');

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
  path = join(folder, 'Restart.md');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const history = createMarkdownHistory({ ci: false });

/** The document as it was loaded, with this text. */
function loaded(text: string, hasHistory: boolean): HistoryDocument {
  writeFileSync(path, text);
  return { path, hasHistory, stamp: stampOf(statSync(path, { bigint: true })) };
}

/** Top-level headings as CommonMark sees them. */
function headings(): string[] {
  const titles: string[] = [];
  for (let node = new Parser().parse(readFileSync(path, 'utf8')).firstChild; node !== null; node = node.next) {
    if (node.type === 'heading') titles.push(`${'#'.repeat(node.level)} ${node.firstChild?.literal ?? ''}`);
  }
  return titles;
}

function runIds(): string[] {
  return readEntries(readFileSync(path, 'utf8')).map((entry) =>
    entry.origin === 'runbook' ? entry.facts.run : 'foreign',
  );
}

describe('where a history goes', () => {
  test.each(['ledger', 'none'] as const)('%s stays what it is', async (mode) => {
    expect(await history.decide(mode, path)).toEqual({ mode, reason: null });
  });

  test('auto is the file where it can be written', async () => {
    loaded(DOCUMENT, false);
    const before = statSync(path);
    expect(await history.decide('auto', path)).toEqual({ mode: 'file', reason: null });
    expect(await history.decide('file', path)).toEqual({ mode: 'file', reason: null });
    expect(statSync(path).mtimeMs).toBe(before.mtimeMs);
    expect(readFileSync(path, 'utf8')).toBe(DOCUMENT);
  });

  test.each([
    ['a .git folder', (at: string): unknown => mkdirSync(at)],
    ['a .git file, as in a linked work tree', (at: string): unknown => writeFileSync(at, 'gitdir: elsewhere\n')],
  ])('auto is the ledger beneath %s, the file when told so', async (_, make) => {
    make(join(folder, '.git'));
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    path = join(folder, 'a/b/Restart.md');
    loaded(DOCUMENT, false);
    expect(await history.decide('auto', path)).toEqual({
      mode: 'ledger',
      reason: expect.stringMatching(/git work tree.*\.$/) as unknown,
    });
    expect(await history.decide('file', path)).toMatchObject({ mode: 'file' });
  });

  test('auto is the ledger in a CI job', async () => {
    loaded(DOCUMENT, false);
    expect(await createMarkdownHistory({ ci: true }).decide('auto', path)).toEqual({
      mode: 'ledger',
      reason: expect.stringContaining('CI') as unknown,
    });
  });

  test.each([
    ['missing', async (): Promise<unknown> => null],
    ['a folder', async (): Promise<unknown> => mkdirSync(path)],
    ['a link', async (): Promise<unknown> => symlinkSync('/dev/null', path)],
    ['a pipe', (): Promise<unknown> => execa('mkfifo', [path])],
  ])('a document that is %s: auto is the ledger, file is refused', async (_, make) => {
    await make();
    expect(await history.decide('auto', path)).toEqual({
      mode: 'ledger',
      reason: expect.stringContaining('cannot be written') as unknown,
    });
    expect(await failureOf(() => history.decide('file', path))).toMatchObject({
      code: 'io',
      message: expect.stringContaining(path) as unknown,
      fix: expect.stringContaining('--history ledger') as unknown,
    });
    expect(await failureOf(() => history.append({ path, hasHistory: true, stamp: '' }, entryOf({})))).toMatchObject({
      code: 'io',
    });
  });
});

describe('an entry in the document', () => {
  test('brings the heading also where somebody has put another document in its place', async () => {
    const document = loaded(`${DOCUMENT}# History\n`, true);
    writeFileSync(path, DOCUMENT);
    await history.append(document, entryOf({ runId: 'one' }));
    expect(headings().slice(0, 3)).toEqual(['# Restart', '# Script', '# History']);
  });

  test('brings the heading once, keeps everything before it, mode and inode included', async () => {
    const document = loaded(DOCUMENT, false);
    chmodSync(path, 0o640);
    const before = statSync(path);
    await history.append(document, entryOf({ runId: 'one' }));
    // The second run was loaded before the first one ended.
    await history.append(document, entryOf({ runId: 'two', stdout: Buffer.from('# History\n') }));
    const text = readFileSync(path, 'utf8');
    // No blank line comes before it: the digest of the runbook stays the same.
    expect(text.startsWith(`${DOCUMENT}# History\n\n### `)).toBe(true);
    expect(runIds()).toEqual(['one', 'two']);
    expect(headings()).toEqual([
      '# Restart',
      '# Script',
      '# History',
      '### 2026-01-23T14:33:02.123Z | Exit Code: 3',
      '### 2026-01-23T14:33:02.123Z | Exit Code: 3',
    ]);
    expect(statSync(path)).toMatchObject({ ino: before.ino, mode: before.mode });
  });

  test.each([
    ['no line feed', '# History', '# History\n\n### '],
    ['one line feed', '# History\n', '# History\n\n### '],
    ['a blank line', '# History\n\n', '# History\n\n### '],
  ])('stands behind a blank line when the document ends with %s', async (_, end, expected) => {
    await history.append(loaded(`${DOCUMENT}${end}`, true), entryOf({}));
    expect(readFileSync(path, 'utf8').slice(DOCUMENT.length, DOCUMENT.length + expected.length)).toBe(expected);
  });

  test('of runs that end at the same moment come one behind the other, under one heading', async () => {
    const document = loaded(DOCUMENT, false);
    const ids = Array.from({ length: 20 }, (_, n) => `run-${n}`);
    await Promise.all(ids.map((runId) => history.append(document, entryOf({ runId }))));
    expect(runIds().sort()).toEqual(ids.sort());
    expect(headings().filter((title) => title === '# History')).toHaveLength(1);
  });

  test(`of four processes at once stay whole: 4 times ${EACH} entries of 16 KiB`, async () => {
    loaded(`${DOCUMENT}# History\n`, true);
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((prefix) =>
        execa(process.execPath, [WRITER, path, prefix, String(EACH), '20000'], { timeout: 100_000 }),
      ),
    );
    const ids = runIds();
    expect(ids).not.toContain('foreign');
    expect(ids).toHaveLength(4 * EACH);
    expect(new Set(ids).size).toBe(4 * EACH);
    expect(statSync(path).size).toBeGreaterThan(4 * EACH * 14_000);
    expect(readFileSync(path, 'utf8')).not.toContain('incomplete');
  });

  test('leaves what Stage0 has written as it is, byte for byte, and both are read', async () => {
    const stage0 = readFileSync(join(import.meta.dirname, '../fixtures/stage0/SimpleRunbook.md'));
    for (const bytes of [stage0, Buffer.from(stage0.toString().replaceAll('\n', '\r\n'))]) {
      writeFileSync(path, bytes);
      const document = { path, hasHistory: true, stamp: stampOf(statSync(path, { bigint: true })) };
      for (const runId of ['one', 'two']) await history.append(document, entryOf({ runId }));
      const after = readFileSync(path);
      expect(after.subarray(0, bytes.length).equals(bytes)).toBe(true);
      expect(readEntries(after.toString())).toMatchObject([
        { origin: 'foreign', finishedAt: '2026-01-23T14:33:02.123Z', exitCode: 0 },
        { origin: 'foreign', finishedAt: '2026-01-24T09:00:00.000Z', exitCode: 403 },
        { origin: 'runbook', facts: { run: 'one' } },
        { origin: 'runbook', facts: { run: 'two' } },
      ]);
    }
  });

  test('that a full disk has torn is told, kept, and closed off by the next one', async () => {
    loaded(`${DOCUMENT}# History\n`, true);
    await history.append({ path, hasHistory: true, stamp: '' }, entryOf({ runId: 'whole' }));
    // A file may have 4 KiB here: the write comes back short and the rest fails, as on a full disk.
    const script = `trap '' XFSZ; ulimit -f 4; exec "$0" "$@"`;
    const { stdout } = await execa('bash', ['-c', script, process.execPath, WRITER, path, 'torn', '1', '9000'], {
      timeout: 60_000,
    });
    expect(stdout).toMatch(/not written \(EFBIG\).*ends with an incomplete entry/);
    expect(statSync(path).size).toBe(4096);
    const torn = readFileSync(path, 'utf8');

    await history.append({ path, hasHistory: true, stamp: '' }, entryOf({ runId: 'next' }));
    expect(readFileSync(path, 'utf8').startsWith(torn)).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain('*The entry above is incomplete');
    expect(runIds()).toEqual(['whole', 'foreign', 'next']);
    expect(headings()).toHaveLength(6);
  });

  test('that cannot be written at all leaves the document as it is', async () => {
    loaded(`${DOCUMENT}# History\n${'x'.repeat(4096)}`, true);
    const before = readFileSync(path, 'utf8');
    const script = `trap '' XFSZ; ulimit -f 4; exec "$0" "$@"`;
    const { stdout } = await execa('bash', ['-c', script, process.execPath, WRITER, path, 'torn', '1', '9000'], {
      timeout: 60_000,
    });
    expect(stdout).toMatch(/EFBIG.*is unchanged/);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('is never written through a link that took the place of the document', async () => {
    const target = join(folder, 'target.md');
    writeFileSync(target, 'untouched');
    symlinkSync(target, path);
    const failure = await failureOf(() => history.append({ path, hasHistory: true, stamp: '' }, entryOf({})));
    expect(failure).toMatchObject({ code: 'io', message: expect.stringContaining('ELOOP') as unknown });
    expect(readFileSync(target, 'utf8')).toBe('untouched');
  });
});

describe.skipIf(!existsSync('/proc/self/io'))('a large document (needs Linux)', () => {
  interface Counted {
    readonly answer: boolean | null;
    readonly read: number;
    readonly written: number;
    readonly peakKib: number;
  }
  async function counted(...args: readonly string[]): Promise<Counted> {
    const { stdout } = await execa(process.execPath, [COUNTER, ...args], { timeout: 100_000 });
    return JSON.parse(stdout) as Counted;
  }

  const OURS = renderEntry(entryOf({ runId: 'old', stdout: Buffer.alloc(9000, 'a line of output\n```\n') }));
  const MANY = Buffer.from(`${OURS}\n${'a line that somebody has written\n'.repeat(200)}\n`.repeat(64));

  /** Entries of ours and lines of somebody else's; where it has a hole, nothing takes up room in the middle. */
  function large(bytes: number, hasHole: boolean): string {
    const file = join(folder, `${bytes}.md`);
    writeFileSync(file, `${DOCUMENT}# History\n\n`);
    if (hasHole && bytes > 3 * MANY.length) {
      appendFileSync(file, MANY);
      truncateSync(file, bytes - MANY.length);
    }
    do appendFileSync(file, MANY);
    while (statSync(file).size < bytes);
    return file;
  }

  test('gets an entry by reading and writing as many bytes as one of 1 MiB', async () => {
    const [small, big] = await Promise.all(
      [MIB, 200 * MIB].map(async (size) => {
        const file = large(size, true);
        // Another run has written since the document was loaded: its heading is looked for.
        return [await counted('append', file, 'new', 'same'), await counted('append', file, 'newer', 'changed')];
      }),
    );
    const figures = [small, big].map((each) => each?.map(({ read, written }) => ({ read, written })));
    console.log(`append at 1 and 200 MiB, and once more when the document has changed: ${JSON.stringify(figures)}`);
    for (const each of [small, big]) {
      expect(each?.[0]?.read).toBeLessThan(64 * 1024);
      expect(each?.[1]?.read).toBeLessThan(1.2 * MIB);
    }
    expect(big?.[0]?.written).toBe(small?.[0]?.written);
    // The kernel's own figures are read as well, and are of a few digits more or less.
    expect(Math.abs((big?.[0]?.read ?? 0) - (small?.[0]?.read ?? 0))).toBeLessThan(100);
  });

  test('as large as may be loaded is searched for an entry without being held', async () => {
    const sizes = [MIB, times(120, 200) * MIB];
    const found = [];
    for (const size of sizes) {
      const file = large(size, false);
      appendFileSync(file, renderEntry(entryOf({ runId: 'last' })));
      found.push(await counted('has', file, 'last'));
    }
    const [small, big] = found;
    expect([small?.answer, big?.answer]).toEqual([true, true]);
    expect((await counted('has', large(MIB, false), 'nobody')).answer).toBe(false);
    const more = ((big?.peakKib ?? Infinity) - (small?.peakKib ?? 0)) / 1024;
    console.log(
      `searched in ${sizes.map((size) => size / MIB).join(' and ')} MiB: ${more.toFixed(0)} MiB of memory more`,
    );
    expect(more).toBeLessThan(100);
  });
});

describe('whether an entry is there', () => {
  test('is told of whole ones under the heading, and nothing is changed', async () => {
    const torn = renderEntry(entryOf({ runId: 'torn', stdout: Buffer.from('text') })).slice(0, -6);
    const [one, quoted] = ['one', 'quoted'].map((runId) => renderEntry(entryOf({ runId })));
    loaded(
      `${DOCUMENT}${renderEntry(entryOf({ runId: 'above' }))}# History\n\n${one}\n\`\`\`\n${quoted}\`\`\`\n\n${torn}`,
      true,
    );
    chmodSync(path, 0o400);
    const before = statSync(path);
    const found = await Promise.all(
      ['one', 'above', 'quoted', 'torn', 'none'].map((runId) => history.has(path, runId)),
    );
    expect(found).toEqual([true, false, false, false, false]);
    expect(statSync(path)).toMatchObject({ mtimeMs: before.mtimeMs, size: before.size });
    writeFileSync(path, DOCUMENT, { mode: 0o600, flag: 'w' });
    expect(await history.has(path, 'one')).toBe(false);
  });

  test('cannot be told of a document that is gone, or is a link', async () => {
    expect(await failureOf(() => history.has(path, 'one'))).toMatchObject({
      code: 'io',
      message: expect.stringContaining('cannot be read (ENOENT)') as unknown,
    });
    writeFileSync(join(folder, 'target.md'), '# History\n');
    symlinkSync(join(folder, 'target.md'), path);
    expect(await failureOf(() => history.has(path, 'one'))).toMatchObject({ code: 'io' });
  });
});
