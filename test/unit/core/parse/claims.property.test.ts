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
import { claims, classic, fence, steps } from './documents.ts';

const entry = '\n### 2026-01-23T14:33:02.123Z | Exit Code: 0\n\n**Stdout:**\n```\nout\n```\n';
const BASES: readonly string[] = [
  classic({ middle: claims('roles: admin') }),
  classic({ middle: claims('roles: [admin, sre]\nteam: core'), history: `# History\n${entry}` }),
  classic({ env: `${claims('roles: admin')}# Environment Requirements\n` }),
  classic({ history: `${claims('roles: admin')}# History\n` }),
  steps(undefined, claims('roles: admin\nreaders: {roles: viewer}')),
  steps(undefined, claims('- roles: admin\n- repository: acme/ops')),
  steps(`## One\n${fence('bash', 'true')}${claims('roles: admin')}`),
];

/** Where the section stands; edits aim at it. */
function sectionOf(text: string): { readonly start: number; readonly end: number } {
  const found = /^.*Required ?Claims.*$/imu.exec(text);
  if (found === null) return { start: 0, end: text.length };
  const close = /^```$/m.exec(text.slice(found.index));
  return { start: found.index, end: close === null ? text.length : found.index + close.index + 4 };
}

type Edit = (text: string, at: number) => string;
const replaceSection =
  (change: (section: string) => string): Edit =>
  (text) => {
    const { start, end } = sectionOf(text);
    return text.slice(0, start) + change(text.slice(start, end)) + text.slice(end);
  };
const replaceHeading = (heading: string): Edit => replaceSection((section) => section.replace(/^.*$/m, () => heading));
const replaceData = (data: string): Edit =>
  replaceSection((section) => section.replace(/(```yaml\n)[^]*(\n```)/, (_, a: string, b: string) => a + data + b));
const replaceFence = (open: string, close = '```'): Edit =>
  replaceSection((section) => section.replace('```yaml', () => open).replace(/```\n?$/, () => `${close}\n`));
/** A place within the section, most of the time. */
const spot = (text: string, at: number): number => {
  const { start, end } = sectionOf(text);
  return at < 0.8 ? start + Math.floor((at / 0.8) * (end - start)) : Math.floor(((at - 0.8) / 0.2) * text.length);
};
const insert =
  (what: string): Edit =>
  (text, at) =>
    text.slice(0, spot(text, at)) + what + text.slice(spot(text, at));
const remove =
  (count: number): Edit =>
  (text, at) =>
    text.slice(0, spot(text, at)) + text.slice(spot(text, at) + count);

const EDITS: readonly Edit[] = [
  ...[
    '# Required claims',
    '# REQUIRED CLAIMS',
    '# required claims',
    '# Requried Claims',
    '# Require Claims',
    '# Required Claim',
    '#Required Claims',
    '## Required Claims',
    '# Required  Claims',
    '#\tRequired Claims',
    '# Required\u00a0Claims',
    '#\u00a0Required Claims',
    '# Required\u3000Claims',
    '# Required Claims #',
    '# Required Claims:',
    '**Required Claims**',
    '# **Required Claims**',
    '# Required_Claims',
    'Required Claims\n===',
    'Required Claims\n---',
    'Required\nClaims\n===',
    ' # Required Claims',
    '    # Required Claims',
    '\t# Required Claims',
    '> # Required Claims',
    '- # Required Claims',
    '1. # Required Claims',
    '<h1>Required Claims</h1>',
    '# Required Claims <!-- x -->',
    '<!-- # Required Claims -->',
    '# \u0420equired Claims',
    '# Required \u0421laims',
    '# \uff32equired Claims',
    '# Required\u200b Claims',
    '\\# Required Claims',
    '# History',
    '# Notes',
    '',
    'Required Claims: admin',
  ].map(replaceHeading),
  ...[
    'roles: admin',
    '',
    'roles:',
    'roles: []',
    'roles: ""',
    'roles: ","',
    'roles: [""]',
    '- roles: admin',
    '- admin',
    'admin',
    '[]',
    '{}',
    '- {}',
    '- roles: admin\n- {}',
    'roles: *',
    'roles: *x',
    'roles: &x admin',
    'roles: !!str admin',
    '<<: {roles: admin}',
    'roles: admin\nroles: user',
    'roles: {admin: true}',
    'roles: [[admin]]',
    'roles: null',
    'roles: ~',
    'roles admin',
    'roles: "admin',
    'roles:\tadmin',
    '\troles: admin',
    'roles: admin\n---\nroles: user',
    'readers: {roles: admin}',
    '%YAML 1.1\n---\nroles: admin',
    '__proto__: admin',
    '# roles: admin',
    '# Required Claims',
    'roles: admin # Required Claims',
  ].map(replaceData),
  ...[
    '```yml',
    '```YAML',
    '```',
    '```json',
    '```yaml x',
    '``` yaml',
    '````yaml',
    '~~~yaml',
    '``yaml',
    '    ```yaml',
    '> ```yaml',
    '- ```yaml',
    '```text',
    '<!--',
    '```yaml\n```\n```yaml',
  ].map((open) => replaceFence(open)),
  replaceFence('~~~yaml', '~~~'),
  replaceFence('````yaml', '````'),
  replaceFence('```yaml', ''),
  replaceSection(() => ''),
  replaceSection((section) => section + section),
  replaceSection((section) => section + section.replace('Required', 'required')),
  replaceSection((section) => `\`\`\`\n${section}\`\`\`\n`),
  replaceSection((section) => `~~~~\n${section}~~~~\n`),
  replaceSection((section) => `<!--\n${section}-->\n`),
  replaceSection((section) => `<div>\n${section}</div>\n\n`),
  replaceSection((section) => `<details>\n\n${section}\n</details>\n\n`),
  replaceSection((section) => section.replace(/^/gm, '> ')),
  replaceSection((section) => `- ${section.replace(/\n/g, '\n  ')}\n`),
  replaceSection((section) => section.replace(/^/gm, '    ')),
  replaceSection((section) => `# History\n${section}`),
  (text) => {
    const { start, end } = sectionOf(text);
    return `${text.slice(0, start)}${text.slice(end)}\n${text.slice(start, end)}`;
  },
  (text) => {
    const { start, end } = sectionOf(text);
    return text.slice(start, end) + text.slice(0, start) + text.slice(end);
  },
  (text) => `\ufeff${text}`,
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('\n', '\r'),
  (text) => text.toLowerCase(),
  (text) => text.replace('# Script', '# Scripts').replace('# Steps', '# Step'),
  ...[
    '\n',
    '\r',
    '#',
    ' ',
    '\t',
    '`',
    '~',
    '```\n',
    '\n```\n',
    '<!--',
    '-->',
    '\n# History\n',
    '\n# Notes\n',
    '\0',
    '\u00a0',
    '\u200b',
    '\u202e',
    '-',
    '>',
    ':',
    ',',
    '"',
    "'",
    '\\',
    '&',
    '*',
    '[',
    '{',
    'x',
    'é',
    '\u2028',
    '<pre>',
    '[a]: ',
  ].map(insert),
  ...[1, 1, 1, 2, 3, 8, 30].map(remove),
];

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

test('random edits let nobody in', () => {
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
