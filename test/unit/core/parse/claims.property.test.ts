/**
 * Nobody gets in by a typo. Documents that need a role are edited at random; a caller without roles must never be let
 * in, unless nothing in the document reads like the claims heading any more. The oracle shares no code with the parser.
 */
import { Parser } from 'commonmark';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authorize } from '../../../../src/core/claims.ts';
import { parseRunbook } from '../../../../src/core/parse/parse.ts';
import { tries } from '../../../helpers/property.ts';
import { BASES, EDITS } from './claims-edits.ts';
import { classic } from './documents.ts';

/** A long run takes minutes; only a hang takes an hour. */
const HANG_MS = 3_600_000;

/** Letters for the oracle: its own, smaller idea of what looks alike. */
const ALIKE = new Map([
  ['\u0421', 'c'],
  ['\u0441', 'c'],
]);

function distance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    let diagonal = row[0] ?? 0;
    row[0] = i;
    for (let j = 1; j <= b.length; j += 1) {
      const above = row[j] ?? 0;
      row[j] = Math.min(above + 1, (row[j - 1] ?? 0) + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1));
      diagonal = above;
    }
  }
  return row[b.length] ?? Infinity;
}

function readsLikeClaims(text: string): boolean {
  const letters = Array.from(text.normalize('NFKC'), (character) => ALIKE.get(character) ?? character)
    .join('')
    .replace(/<[^>]*h1[^>]*>/g, '')
    .toLowerCase()
    .replace(/[^a-z]/g, '');
  return distance(letters, 'requiredclaims') <= 2;
}

interface TopHeading {
  readonly level: number;
  readonly line: number;
  readonly text: string;
}

/** Top-level headings as the reference implementation of CommonMark sees them. */
function topHeadings(text: string): readonly TopHeading[] {
  const headings: TopHeading[] = [];
  for (let node = new Parser().parse(text).firstChild; node !== null; node = node.next) {
    if (node.type !== 'heading') continue;
    let inner = '';
    const walker = node.walker();
    for (let event = walker.next(); event !== null; event = walker.next()) inner += event.node.literal ?? ' ';
    headings.push({ level: node.level, line: node.sourcepos[0][0], text: inner.trim() });
  }
  return headings;
}

/** Whether nothing before the history, and no heading in it, reads like the claims heading. */
function isAbsent(text: string): boolean {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const headings = topHeadings(lines.join('\n'));
  const history = headings.find((heading) => heading.level === 1 && heading.text === 'History');
  const end = history?.line ?? lines.length + 1;
  return !lines.slice(0, end - 1).some(readsLikeClaims) && !headings.some(({ text: inner }) => readsLikeClaims(inner));
}

const CALLERS = [null, {}, { sub: 'mallory' }, { roles: [] }, { roles: 'user' }, { roles: ['viewer', ''] }];

/** What becomes of callers without the role. */
function verdict(text: string): 'invalid' | 'refused' | 'absent' | 'ALLOWED' {
  const { runbook } = parseRunbook(Buffer.from(text), { fileName: 'X.md' });
  if (runbook === null) return 'invalid';
  const { claims: required } = runbook;
  if (required !== null && CALLERS.every((caller) => !authorize(caller, required).allowed)) return 'refused';
  return required === null && isAbsent(text) ? 'absent' : 'ALLOWED';
}

const edited = fc
  .tuple(
    fc.constantFrom(...BASES),
    fc.array(fc.tuple(fc.constantFrom(...EDITS), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([text, edits]) => {
    let result = text;
    for (const [edit, at] of edits) result = edit(result, at);
    return result;
  });

test('the documents need a role before they are edited', () => {
  for (const text of BASES) expect(verdict(text)).toBe('refused');
});

test.each([
  [classic(), 'absent'],
  [classic({ title: '# A\n\nRequired claims\n\n' }), 'invalid'],
])('the oracle knows an open document (%#)', (text, expected) => {
  expect(verdict(text)).toBe(expected);
});

test('each edit alone lets nobody in', () => {
  for (const edit of EDITS) {
    for (const text of BASES) {
      for (const at of [0, 0.1, 0.3, 0.5, 0.7, 0.9]) {
        const changed = edit(text, at);
        expect({ changed, verdict: verdict(changed) }).not.toMatchObject({ verdict: 'ALLOWED' });
      }
    }
  }
});

test('random edits let nobody in', { timeout: HANG_MS }, () => {
  const counts: Record<string, number> = { invalid: 0, refused: 0, absent: 0, ALLOWED: 0 };
  fc.assert(
    fc.property(edited, (text) => {
      const found = verdict(text);
      counts[found] = (counts[found] ?? 0) + 1;
      expect(found).not.toBe('ALLOWED');
    }),
    tries(10_000, 300_000),
  );
  process.stdout.write(`claims: ${JSON.stringify(counts)}\n`);
  expect(counts['refused']).toBeGreaterThan(300);
  expect(counts['absent']).toBeGreaterThan(10);
});
