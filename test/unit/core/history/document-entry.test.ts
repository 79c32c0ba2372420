import { Parser } from 'commonmark';
import * as fc from 'fast-check';
import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { ExcerptOf } from '../../../../src/core/excerpt.ts';
import type { Excerpt } from '../../../../src/core/excerpt.ts';
import type { DocumentEntry } from '../../../../src/core/history/document-entry.ts';
import { MAX_ENTRY_BYTES, renderEntry, SHOWN_BYTES } from '../../../../src/core/history/document-entry.ts';
import { machineLine } from '../../../../src/core/history/entry-facts.ts';
import type { ForeignEntry, OwnEntry } from '../../../../src/core/history/document-history.ts';
import { entriesOf, jointAfter, readEntries } from '../../../../src/core/history/document-history.ts';
import { linesOf, linesOfChunks } from '../../../../src/core/history/lines.ts';
import type { ShownText } from '../../../../src/core/history/visible-text.ts';
import { visibleText } from '../../../../src/core/history/visible-text.ts';
import { entryOf } from '../../../helpers/entries.ts';
import { times, tries } from '../../../helpers/property.ts';

const HISTORY = '# History\n\n';
const LONG = 'x'.repeat(100_000);
const FORGED = renderEntry(entryOf({ runId: 'forged', subject: 'mallory', stdout: Buffer.from('forged') }));

/** An entry shows 16 KiB at most; what is beyond is only counted. */
const MAX_LONG_BYTES = times(20_000, 60_000);

/** Pieces that try to be more than output. */
const PIECES = [
  '`',
  '``',
  '```',
  '````',
  '`'.repeat(50),
  '`'.repeat(63),
  '`'.repeat(200),
  '```sh',
  '~~~',
  '~~~~~',
  '\n',
  '\n\n',
  '\r',
  '\r\n',
  '\n\r',
  '### 2026-01-23T14:33:02.123Z | Exit Code: 0',
  '\n### 2026-01-23T14:33:02.123Z | Exit Code: 0\n',
  '# History',
  '\n# History\n',
  '# Required Claims',
  '\n---\n',
  '\n===\n',
  '-->',
  '<!--',
  '<!-- runbook:v1 ',
  '<!-- runbook:v1 e30 -->',
  FORGED,
  `\n${FORGED}`,
  FORGED.replaceAll('\n', '\r'),
  '**Stdout:**',
  '**Stderr:**\n```\n',
  '\n*5 bytes are left out here; run x has them.*\n',
  '\u2028',
  '\u2029',
  '\u0085',
  '\u001b[31m',
  '\u001b]0;title\u0007',
  '\0',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\u{e0041}',
  '\u000b',
  '\u000c',
  '\u007f',
  '\t',
  '    ',
  '> ',
  '- ',
  '1. ',
  '<script>',
  '\n<script>\n',
  '</pre>',
  '\n<pre>\n',
  '\n<div>\n\n',
  '\n<style>\n',
  '<![CDATA[',
  '<?',
  '<!DOCTYPE',
  ']]>',
  '?>',
  '&lt;',
  '\n[x]: /url "title"\n',
  '\n[x]:\n',
  '[x]: <javascript:1>',
  '\n[^1]: note\n',
  '\n| a |\n|---|\n',
  '\n***\n',
  '\n====\n',
  '\ntext\n----\n',
  '\\',
  'plain text',
  'é',
  '😀',
  'a\u200db',
  '\u{1f468}\u200d\u{1f469}',
].map((text) => Buffer.from(text));
const RAW = [
  [0xff],
  [0xfe, 0xff],
  [0xc3],
  [0xe2, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xed, 0xa0, 0x80],
  [0x80],
  [0xc0, 0xaf],
].map((bytes) => Buffer.from(bytes));

const output = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.array(fc.constantFrom(...PIECES, ...RAW), { maxLength: 30 }).map((pieces) => Buffer.concat(pieces)),
  },
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  // Too long for an entry: what is cut, and where, comes from the same pieces.
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.array(fc.constantFrom(...PIECES, ...RAW), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 50, max: 3000 }),
      )
      .map(([pieces, count]) => {
        const unit = Buffer.concat(pieces);
        return Buffer.alloc(Math.min(unit.length * count, MAX_LONG_BYTES), unit);
      }),
  },
);
const hostile = fc.record({
  runId: fc.stringMatching(/^[0-9A-Z]{26}$/),
  finishedAt: fc
    .date({ min: new Date(0), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  exitCode: fc.integer({ min: -64, max: 255 }),
  outcome: fc.constantFrom('succeeded', 'failed', 'timed-out', 'forbidden'),
  subject: fc.oneof(
    fc.constant(null),
    fc.string({ unit: 'binary', maxLength: 90 }),
    fc.constantFrom('-->', '# History\n'),
  ),
  stdout: output,
  stderr: output,
  omitted: fc.constant({ stdout: 0, stderr: 0 }),
  dropped: fc.nat(2 ** 40),
  error: fc.oneof(
    fc.constant(null),
    output.map((bytes) => bytes.toString('utf8')),
    fc.constantFrom('\ud800', 'no\ud800'),
  ),
} satisfies Record<keyof DocumentEntry, unknown>) as fc.Arbitrary<DocumentEntry>;

describe('an entry of the history', () => {
  test('looks like this', () => {
    const text = renderEntry(
      entryOf({
        stdout: Buffer.from('one\n```\n\u001b[31mred\u001b[0m\n'),
        stderr: Buffer.from('warn'),
        error: 'It failed.',
        dropped: 5,
      }),
    );
    const [heading, blank, machine, ...rest] = text.split('\n');
    expect([heading, blank]).toEqual(['### 2026-01-23T14:33:02.123Z | Exit Code: 3', '']);
    expect(machine).toMatch(/^<!-- runbook:v1 [\w-]+ -->$/);
    expect(rest.join('\n')).toBe(
      [
        '',
        '**Stdout:**',
        '````',
        'one',
        '```',
        '␛[31mred␛[0m',
        '',
        '````',
        '',
        '**Stderr:**',
        '```',
        'warn',
        '```',
        '',
        '**Error:**',
        '```',
        'It failed.',
        '```',
        '',
        '*5 bytes of output are not kept.*',
        '',
      ].join('\n'),
    );
  });

  test('that says nothing is its heading and its machine line', () => {
    const text = renderEntry(entryOf({}));
    expect(text.split('\n')).toHaveLength(4);
    expect(readEntries(HISTORY + text)).toMatchObject([{ origin: 'runbook', stdout: null, stderr: null, error: null }]);
  });

  test(
    'cannot be forged by output: facts and text come back, one heading each for every reader, 16 KiB at most',
    { timeout: 600_000 },
    () => {
      fc.assert(
        fc.property(hostile, hostile, (first, second) => {
          const rendered = [first, second].map(renderEntry);
          const history = `${HISTORY}${rendered.join('\n')}`;
          const entries = readEntries(history);
          expect(entries).toHaveLength(2);
          for (const [n, entry] of [first, second].entries()) holds(entries[n], entry);
          for (const text of rendered) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
          const titles = ['History', ...[first, second].map(titleOf)];
          expect(headingsOfMarked(history)).toEqual(titles);
          expect(headingsOfCommonmark(history)).toEqual(titles);
          // Readers that know nothing of fences either: Stage0's own, or a search for the machine line.
          expect(history.match(/^### .*\| Exit Code: .*$/gm)).toHaveLength(2);
          expect(history.match(/<!-- runbook:/g)).toHaveLength(2);
          expect(history).not.toMatch(/(?![\n\t])\p{Cc}|[\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}\ufeff]/u);
        }),
        // Two entries a try: 3,000 and 50,000 outputs per stream.
        tries(1500, 25_000),
      );
    },
  );

  test('shows the whole text where it fits, and head and tail of each stream to the byte where it does not', () => {
    const [stdout, stderr] = [numbered(5000), numbered(100)];
    const text = renderEntry(entryOf({ stdout, stderr }));
    const entry = own(readEntries(text)[0]);
    expect(entry.stderr).toEqual({ head: String(stderr), omittedBytes: 0, tail: null });
    const { head = '', omittedBytes = 0, tail = '' } = entry.stdout ?? {};
    expect(head.length + omittedBytes + (tail ?? '').length).toBe(stdout.length);
    expect(String(stdout).startsWith(head) && String(stdout).endsWith(tail ?? '')).toBe(true);
    expect(text).toContain(`*${omittedBytes} bytes are left out here; run run-1 has them.*`);
    expect(Buffer.byteLength(text)).toBeGreaterThan(14_000);
  });

  test('of an excerpt is that of the whole text', { timeout: 600_000 }, () => {
    const excerpt = (bytes: Buffer): Excerpt => {
      const both = new ExcerptOf(SHOWN_BYTES);
      for (let at = 0; at < bytes.length; at += 5000) both.push(bytes.subarray(at, at + 5000));
      return both.excerpt;
    };
    fc.assert(
      fc.property(hostile, (entry) => {
        const [stdout, stderr] = [excerpt(entry.stdout), excerpt(entry.stderr)];
        const omitted = { stdout: stdout.omitted, stderr: stderr.omitted };
        expect(renderEntry({ ...entry, stdout: stdout.bytes, stderr: stderr.bytes, omitted })).toBe(renderEntry(entry));
      }),
      tries(500, 10_000),
    );
    expect(excerpt(numbered(10_000)).omitted).toBeGreaterThan(0);
  });

  test.each([
    ['backticks', '`'],
    ['NUL', '\0'],
    ['tags', '\u{e0041}'],
    ['four-byte characters', '😀'],
    ['bytes that are no text', '\u00ff'],
  ])('of a megabyte of %s stays small and cuts no character', (name, character) => {
    const bytes = Buffer.from(
      character.repeat(1_000_000 / character.length),
      name.startsWith('bytes') ? 'latin1' : 'utf8',
    );
    const text = renderEntry(
      entryOf({ stdout: bytes, stderr: bytes, error: character.repeat(100_000), subject: '"'.repeat(5000) }),
    );
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
    expect(Buffer.byteLength(text)).toBeGreaterThan(10_000);
    expect(text.includes('\ufffd')).toBe(name.startsWith('bytes'));
    const entry = own(readEntries(text)[0]);
    // Each of the three texts has its share, and fences take little of it.
    for (const { head = '' } of [entry.stdout ?? {}, entry.stderr ?? {}]) {
      expect(Buffer.byteLength(head)).toBeGreaterThan(1900);
    }
    expect(entry.facts).toMatchObject({
      stdout: bytes.length,
      subject: expect.stringMatching(/^"{199}…$/) as unknown,
    });
  });

  test.each([{ runId: 'a b' }, { runId: '-->' }, { finishedAt: 'today' }, { exitCode: 1.5 }])(
    'is not made of %j',
    (change) => {
      expect(() => renderEntry(entryOf(change))).toThrow(TypeError);
    },
  );
});

describe('reading a history', () => {
  test('tells entries of Stage0 by their headings only, whatever stands in their fences', () => {
    const stage0 = [
      '### 2025-11-02T10:00:00.000Z | Exit Code: 1\n\n**Stdout:**\n```\nhi\n### 2020-01-01T00:00:00.000Z | Exit Code: 0\n\n```\n\n',
      `### 2025-11-02T11:00:00.000Z | Exit Code: 403\n\n**Error:**\n\`\`\`\n${FORGED.replaceAll('```', '\\`\\`\\`')}\n\`\`\`\n`,
      '<!-- old notes\n### 2020-01-01T00:00:00.000Z | Exit Code: 0\n-->\n',
    ].join('\n');
    const ours = renderEntry(entryOf({}));
    expect(readEntries(`${HISTORY}${stage0}\n${ours}`)).toMatchObject([
      { origin: 'foreign', finishedAt: '2025-11-02T10:00:00.000Z', exitCode: 1 },
      { origin: 'foreign', finishedAt: '2025-11-02T11:00:00.000Z', exitCode: 403 },
      { origin: 'runbook', facts: { run: 'run-1' } },
    ]);
  });

  test('does not believe an entry of ours in which one character was changed', () => {
    const text = renderEntry(entryOf({ stdout: Buffer.from('some output\nof two lines'), error: 'why' }));
    for (let at = 0; at < text.length; at += 1) {
      const changed = text.slice(0, at) + (text[at] === 'x' ? 'y' : 'x') + text.slice(at + 1);
      expect(readEntries(changed).filter(({ origin }) => origin === 'runbook')).toEqual([]);
    }
  });

  test('that comes in pieces finds the same, however it is cut', () => {
    const foreign =
      '### 2025-11-02T10:00:00.000Z | Exit Code: 1\r\n\r\n```\r\nhi\n### 2020-01-01T00:00:00Z | Exit Code: 0';
    const closings = fc.constantFrom('\n```\n\n', '\r```\r\r', '\n~~~\n```\n', '\n');
    fc.assert(
      fc.property(
        hostile,
        closings,
        output,
        fc.array(fc.nat(5000), { maxLength: 20 }),
        (entry, closing, end, sizes) => {
          const bytes = Buffer.concat([Buffer.from(`${HISTORY}${foreign}${closing}\n${renderEntry(entry)}\n`), end]);
          expect([...linesOfChunks(piecesOf(bytes, sizes))]).toEqual(linesOf(bytes.toString('utf8')));
          expect([...entriesOf(linesOfChunks(piecesOf(bytes, sizes)))]).toEqual(readEntries(bytes.toString('utf8')));
        },
      ),
      tries(500, 20_000),
    );
  });

  test('that is far larger than memory may be holds one entry of it at most', () => {
    const facts = { run: 'x', finished: '2020-01-01T00:00:00.000Z', exit: 0, outcome: 'failed', subject: null };
    const sizes = { stdout: 0, stderr: 0, dropped: 0, lines: 1e9, digest: '' };
    let given = 0;
    function* lines(): Generator<string> {
      yield* ['### 2020-01-01T00:00:00.000Z | Exit Code: 0', '', machineLine({ ...facts, ...sizes })];
      for (; ; given += 1) yield 'a line of some length';
    }
    const [entry] = entriesOf(lines());
    expect(entry).toMatchObject({ origin: 'foreign' });
    expect(given).toBeLessThan(MAX_ENTRY_BYTES);
  });

  test.each([
    ['a fence that never opened, for it has more backticks', `\`\`\`${LONG}\`${LONG}`, 2],
    ['a fence', `\`\`\`${LONG}${LONG}`, 0],
    ['a comment that ends', `<!-- ${LONG}-->${LONG}`, 2],
    ['a comment that the next entry ends', `<!-- ${LONG}->${LONG}`, 1],
  ])('knows in a line of 200,000 characters %s', (_, line, found) => {
    const entry = renderEntry(entryOf({}));
    const text = `${HISTORY}${line}\n${entry}\n${entry}`;
    expect(readEntries(text)).toHaveLength(found);
    const bytes = Buffer.from(text);
    const mark = text.indexOf('->');
    for (const size of [1000, 65_537, mark - 1, mark, mark + 1, mark + 2])
      expect([...entriesOf(linesOfChunks(piecesOf(bytes, [size])))]).toHaveLength(found);
  });

  test('reads a document whose line endings were turned into CRLF', () => {
    const text = renderEntry(entryOf({ stdout: Buffer.from('a\r\nb\n') })).replaceAll('\n', '\r\n');
    expect(readEntries(text)).toMatchObject([{ origin: 'runbook', stdout: { head: 'a\nb\n' } }]);
  });
});

describe('an entry that was torn', () => {
  const next = entryOf({ runId: 'next', finishedAt: '2026-02-02T00:00:00.000Z' });

  test('at any place is closed off: the next one stands by itself, for every reader', () => {
    const long = Buffer.from('line\n```` \n'.repeat(400));
    const first = renderEntry(entryOf({ runId: 'first' }));
    const torn = renderEntry(entryOf({ stdout: long, stderr: Buffer.from(FORGED), error: 'x', dropped: 1 }));
    const places = Array.from({ length: torn.length - 1 }, (_, n) => n).filter(
      (n) => n < 700 || n > torn.length - 700 || n % 97 === 0,
    );
    // Before that, what is there is a broken heading, or no more than a heading.
    const firstSeen = torn.indexOf('<!--') + '<!--'.length;
    for (const place of places) {
      const before = `${HISTORY}${first}\n${torn.slice(0, place)}`;
      const history = `${before}${jointAfter(before)}${renderEntry(next)}`;
      const entries = readEntries(history);
      expect(entries[0]).toMatchObject({ origin: 'runbook', facts: { run: 'first' } });
      holds(entries.at(-1), next);
      expect(entries.filter(({ origin }) => origin === 'runbook')).toHaveLength(2);
      expect(headingsOfMarked(history).at(-1)).toBe(titleOf(next));
      expect(headingsOfCommonmark(history).at(-1)).toBe(titleOf(next));
      expect(history.includes('*The entry above is incomplete')).toBe(place >= firstSeen);
    }
  });

  test.each([
    ['', ''],
    ['x', '\n\n'],
    ['x\n', '\n'],
    ['x\n\n', ''],
    [renderEntry(entryOf({ stdout: Buffer.from('```\n<!-- runbook:v1 ') })), '\n'],
    ['```\na fence that is none of ours', '\n\n'],
    ['<!-- a comment that is none of ours', '\n\n'],
  ])('is the only thing that is closed: after %j comes %j', (before, joint) => {
    expect(jointAfter(before)).toBe(joint);
  });
});

/** Of these sizes, over and over. */
function* piecesOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let [at, n] = [0, 0]; at < bytes.length; n += 1) {
    const size = Math.max(1, sizes[n % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function numbered(lines: number): Buffer {
  return Buffer.from(Array.from({ length: lines }, (_, n) => `line ${n}\n`).join(''));
}

function own(entry: OwnEntry | ForeignEntry | undefined): OwnEntry {
  if (entry?.origin !== 'runbook') throw new Error('not an entry of ours');
  return entry;
}

/** What was read is what was written: the facts as they are, each text whole or its true head and tail. */
function holds(read: OwnEntry | ForeignEntry | undefined, written: DocumentEntry): void {
  const entry = own(read);
  expect(entry.facts).toMatchObject({
    run: written.runId,
    finished: written.finishedAt,
    exit: written.exitCode,
    outcome: written.outcome,
    subject: written.subject?.toWellFormed() ?? null,
    stdout: written.stdout.length,
    stderr: written.stderr.length,
    dropped: written.dropped,
  });
  shows(entry.stdout, written.stdout);
  shows(entry.stderr, written.stderr);
  shows(entry.error, Buffer.from(written.error ?? ''));
}

function shows(text: ShownText | null, bytes: Buffer): void {
  if (text === null || text.tail === null) {
    expect(text?.head ?? '').toBe(visibleText(bytes));
    return;
  }
  // Where a text is cut, marks and broken characters look different for a few characters around the cut.
  const all = unbroken(visibleText(bytes));
  const [head, tail] = [unbroken(text.head), unbroken(text.tail)];
  expect(all.startsWith(head.slice(0, -AROUND_CUT))).toBe(true);
  expect(all.endsWith(tail.slice(AROUND_CUT))).toBe(true);
  const before = bytesShownBy(head.length, bytes.length, (n) => bytes.subarray(0, n));
  const after = bytesShownBy(tail.length, bytes.length, (n) => bytes.subarray(bytes.length - n));
  expect(Math.abs(before + text.omittedBytes + after - bytes.length)).toBeLessThanOrEqual(AROUND_CUT);
}

const AROUND_CUT = 16;

function unbroken(text: string): string {
  return text.replaceAll('\\u{60}', '`').replaceAll('\\u{23}', '#').replaceAll('\\u{3c}', '<');
}

/** How many bytes of the original it takes for a text of this length, within a character or two. */
function bytesShownBy(length: number, most: number, piece: (bytes: number) => Buffer): number {
  // No character of a text stands for more than three bytes.
  let [low, high] = [0, Math.min(most, 3 * length + AROUND_CUT)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (unbroken(visibleText(piece(middle))).length < length) low = middle + 1;
    else high = middle;
  }
  return low;
}

function titleOf(entry: DocumentEntry): string {
  return `${entry.finishedAt} | Exit Code: ${entry.exitCode}`;
}

function headingsOfMarked(markdown: string): string[] {
  return marked.lexer(markdown).flatMap((token) => (token.type === 'heading' ? [String(token['text'])] : []));
}

function headingsOfCommonmark(markdown: string): string[] {
  const titles: string[] = [];
  const walker = new Parser().parse(markdown).walker();
  let inHeading = false;
  for (let event = walker.next(); event !== null; event = walker.next()) {
    if (event.node.type === 'heading') {
      inHeading = event.entering;
      if (event.entering) titles.push('');
    } else if (inHeading && event.node.literal !== null) titles.push((titles.pop() ?? '') + event.node.literal);
  }
  return titles;
}
