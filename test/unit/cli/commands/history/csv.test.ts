import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvCell, csvOf } from '../../../../../src/cli/commands/history/csv.ts';
import { inline } from '../../../../../src/cli/render.ts';
import { tries } from '../../../../helpers/property.ts';
import { queuedRun, resultOf } from '../../../../helpers/records.ts';

/** RFC 4180, to the letter. @throws for anything else */
function parse(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  const row: string[] = [];
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const match = cell.exec(text);
    if (match === null) throw new Error(`no cell at ${at} of ${JSON.stringify(text)}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') rows.push(row.splice(0));
  }
  return rows;
}

const stored = (n: number) => ({ ...queuedRun(n), seq: n, prev: '0'.repeat(64), hash: 'f'.repeat(64) });

describe('a cell', () => {
  test.each([
    ['plain', 'plain'],
    ['with, comma', '"with, comma"'],
    ['with "quotes"', '"with ""quotes"""'],
    ['two\nlines\r\n', 'two\\nlines\\u{d}\\n'],
    ['=1+1', '"\'=1+1"'],
    ['+49', '"\'+49"'],
    ['-x', '"\'-x"'],
    ['@SUM(A1)', '"\'@SUM(A1)"'],
    ['\t=1', '"\' =1"'],
    ['\r=1', '"\'\\u{d}=1"'],
    ['\u200b=1', '"\'\\u{200b}=1"'],
    ['＝1', '"\'＝1"'],
    ['a=1', 'a=1'],
    ['\u001b[31m', '\\u{1b}[31m'],
    [-1.5, '-1.5'],
    [false, 'false'],
    [null, ''],
    [undefined, ''],
  ])('%j', (value, text) => {
    expect(csvCell(value)).toBe(text);
  });
});

test('whatever a run says, it is one line of as many cells as the header, and none is a formula', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '"', ',', '\r', '\n', '\t', "'", ';', 'a', ' ', '\u202e') }),
    fc.string({ unit: 'binary' }),
  );
  let formulas = 0;
  fc.assert(
    fc.property(text, text, text, text, (name, subject, incident, reason) => {
      const run = stored(1);
      const result = resultOf(1, { outcome: 'failed', exitCode: 3, reason });
      const rows = parse(
        csvOf([
          {
            run: { ...run, runbook: { ...run.runbook, name }, who: { ...run.who, subject }, incident, result },
            lines: [{ stream: 'stdout', text: name }],
            moreLines: false,
          },
        ]),
      );
      expect(rows).toHaveLength(2);
      const [header = [], cells = []] = rows;
      expect(cells).toHaveLength(header.length);
      for (const [column, told] of Object.entries({ runbook: name, subject, incident, reason, found: name })) {
        const cell = cells[header.indexOf(column)] ?? '';
        expect([inline(told), `'${inline(told)}`]).toContain(cell);
        formulas += Number(cell !== inline(told));
      }
      for (const cell of cells) expect(cell).not.toMatch(/^\s*[=+\-@]|^[\t\r\n]/);
    }),
    tries(1000, 50_000),
  );
  expect(formulas).toBeGreaterThan(100);
});

test('variables are pairs as they were recorded, with the name alone where the record has no value', () => {
  const [header = [], cells = []] = parse(csvOf([{ run: stored(1), lines: [], moreLines: false }]));
  expect(cells[header.indexOf('variables')]).toBe('REGION=eu "west"\\u{2028}\\u{0} \\ é 😀; DB_PASSWORD');
});

test('no runs are a header', () => {
  expect(parse(csvOf([]))).toHaveLength(1);
});
