/** `validate --fix`, the part without files: what is repaired, and that nothing else is touched. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixDocument } from '../../../src/core/fix.ts';
import { splitDocument } from '../../../src/core/parse/history.ts';
import { parseRunbook } from '../../../src/core/parse/parse.ts';
import { isSectionHeading } from '../../../src/core/parse/sections.ts';
import { times, tries } from '../../helpers/property.ts';
import { classic, claims, fence, good, section, steps } from './parse/documents.ts';
import { documentBytes } from './parse/fragments.ts';

const OPTIONS = { fileName: 'Drain.md', today: '2026-11-22' };
const fix = (text: string | Uint8Array) => {
  const { bytes, fixed } = fixDocument(typeof text === 'string' ? Buffer.from(text) : text, OPTIONS);
  return { text: Buffer.from(bytes).toString(), bytes: Buffer.from(bytes), fixed };
};

const LIMITS = section('Limits', 'timeout: 10m\nmax_output: 5MiB');
const METADATA = section('Metadata', 'owner: team\nreview_by: 2027-03-01');
const STEP = `## Cordon\n${fence('yaml', 'confirm: Sure?\ntty: true')}${fence('bash', 'echo limits timout')}`;
const PARTS = `### Done when\n${fence('sh', 'true')}### Rollback\n${fence('sh', 'true')}`;
const ENV = section('Environment Requirements', 'NODE:\n  description: which\n  type: integer\n  default: 1');
/** Valid, with claims, steps and a history: each breach below is the only one. */
const WHOLE =
  `# Drain\n\nMoves work away.\n\n${METADATA}${ENV}${claims('roles: sre')}${LIMITS}# Steps\n\n${STEP}${PARTS}# History\n\n# limts in output\n`.replace(
    '# limts in output\n',
    '```text\n# Limts\n```\n',
  );
const CLASSIC = classic({ title: '# Drain\n\nMoves work away.\n\n', middle: LIMITS });

/** What is written instead of what, each repaired to exactly what it was. */
const BREACHES: readonly (readonly [rule: string, right: string, wrong: string, base?: string])[] = [
  ['section-misspelt', '# Limits', '# limits'],
  ['section-misspelt', '# Limits', '# Limts'],
  ['section-misspelt', '# Limits', '# Limits:'],
  ['section-misspelt', '# Limits', '# **Limits**'],
  ['section-misspelt', '# Metadata', '# Meta data'],
  ['section-misspelt', '# Environment Requirements', '# Enviroment requirements'],
  ['section-misspelt', '# Steps', '# Step'],
  ['section-misspelt', '# Script', '# Scripts', CLASSIC],
  ['section-misplaced', '# Script', '## Script', CLASSIC],
  ['section-misplaced', '# Script', '#Script', CLASSIC],
  ['section-misplaced', '# File System Requirements', '### File System Requirements', CLASSIC],
  ['section-misplaced', '# File System Requirements', '## file system requirements:', CLASSIC],
  ['key-unknown', 'timeout', 'timout'],
  ['key-unknown', 'timeout', 'Timeout'],
  ['key-unknown', 'max_output', 'max-output'],
  ['key-unknown', 'owner', 'ownr'],
  ['key-unknown', 'description', 'desription'],
  ['key-unknown', 'confirm', 'Confirm'],
  ['yaml-fence-tag', '# Limits\n```yaml', '# Limits\n```yml'],
  ['yaml-fence-tag', '# Limits\n```yaml', '# Limits\n```YAML'],
  ['yaml-fence-tag', '## Cordon\n```yaml', '## Cordon\n```yml'],
  [
    'yaml-syntax',
    '  description: which\n  type: integer\n  default: 1',
    '\tdescription: which\n\ttype: integer\n\tdefault: 1',
  ],
  ['limit-duration', '10m', '10 minutes'],
  ['limit-duration', '10m', '10min'],
  ['limit-size', '5MiB', '5 mib'],
  ['value-shape', 'tty: true', 'tty: True'],
  ['env-type', 'integer', 'Integer'],
  ['metadata-value', '2027-03-01', '2027-3-1'],
  ['step-part', '### Done when', '### Done When'],
  ['step-part', '### Rollback', '### Roll back:'],
  ['title-missing', '# Drain', '\n\n# Drain'],
  ['title-missing', '# Drain', '  # Drain'],
  ['title-missing', '# Drain\n', 'Drain\n=====\n'],
];

const TABLE = BREACHES.map(([rule, right, wrong, base]) => [rule, right, wrong, base ?? WHOLE] as const);

describe('a breach of one rule', () => {
  test('the documents are right before', () => {
    expect([WHOLE, CLASSIC].map((text) => good(text, OPTIONS).kind)).toEqual(['steps', 'classic']);
  });

  test.each(TABLE)('%s: %j ← %j', (rule, right, wrong, base) => {
    const broken = base.replace(right, wrong);
    expect(broken).not.toBe(base);
    const { text, fixed } = fix(broken);
    expect(text).toBe(base);
    expect(fixed.map((problem) => problem.rule)).toContain(rule);
  });

  test.each(TABLE)('the same with CRLF and a byte order mark, byte for byte: %s: %j ← %j', (_, right, wrong, base) => {
    const windows = (text: string): string => `\u{feff}${text.replaceAll('\n', '\r\n')}`;
    // Behind the mark there is no line above the title.
    const { bytes } = fix(windows(base.replace(right, wrong)));
    expect(Buffer.from(bytes).toString('latin1')).toBe(Buffer.from(windows(base)).toString('latin1'));
  });

  test('a rule that is to be silenced', () => {
    const comment = '<!-- runbook: allow title-differs -->';
    const base = steps().replace('Moves work', `${comment}\n\nMoves work`);
    expect(fix(base.replace('title-differs', 'title-difers')).text).toBe(base);
  });

  test('several, of which one shows the next', () => {
    const broken = WHOLE.replace('# Limits', '# Limts').replace('timeout: 10m', 'timout: 10 minutes');
    expect(fix(broken).text).toBe(WHOLE);
    expect(fix(broken).fixed.map(({ rule }) => rule)).toEqual(['section-misspelt', 'key-unknown', 'limit-duration']);
  });
});

describe('an empty section that a classic document has to have', () => {
  const SCRIPT = '# Script\n```bash\necho a\n```\n';
  const BARE = `# Drain\n\nMoves work away.\n\n${SCRIPT}`;
  const EMPTY = '# Environment Requirements\n\n# File System Requirements\n\n';
  const FULL = `# Drain\n\nMoves work away.\n\n${EMPTY}${SCRIPT}\n# History\n`;

  test.each([
    ['all three', BARE, FULL],
    ['the history', FULL.replace('\n# History\n', ''), FULL],
    ['the environment', FULL.replace('# Environment Requirements\n\n', ''), FULL],
    ['the files', FULL.replace('# File System Requirements\n\n', ''), FULL],
    ['the last line has no end', BARE.slice(0, -1), FULL.replace('\n\n# History', '\n# History')],
    [
      'behind claims',
      `${BARE}${claims('roles: sre')}`,
      FULL.replace('\n# History', `${claims('roles: sre')}\n# History`),
    ],
  ])('%s', (_, broken, right) => {
    expect(fix(broken).text).toBe(right);
    expect(parseRunbook(Buffer.from(right), OPTIONS).problems).toEqual([]);
    const windows = (text: string): string => `\u{feff}${text.replaceAll('\n', '\r\n')}`;
    expect(fix(windows(broken)).text).toBe(windows(right));
  });

  test.each([
    ['it may stand under another name', FULL.replace('File System Requirements', 'Files')],
    ['it is nearly there', FULL.replace('# History', '# Histroy')],
    ['it is nearly there, below', FULL.replace('# History', '## History')],
    [
      'it stands behind the history',
      `${FULL.replace('# File System Requirements\n\n', '')}\n# File System Requirements\n`,
    ],
    ['a fence is open', FULL.replace('```\n\n# History\n', '')],
    ['a comment is open', FULL.replace('\n# History\n', '\n<!-- a')],
    ['who may run it', FULL.replace('# Script', '# Required claims\n```yaml\nroles: sre\n```\n\n# Script')],
  ])('not where %s', (_, broken) => {
    expect(parseRunbook(Buffer.from(broken), OPTIONS).problems.length).toBeGreaterThan(0);
    expect(fix(broken)).toMatchObject({ text: broken, fixed: [] });
  });
});

describe('what is left to people', () => {
  test.each([
    ['claims, by name', '# Required Claims', '# Required claims'],
    ['claims, by level', '# Required Claims', '## Required Claims'],
    ['claims, by tag', 'Claims\n```yaml', 'Claims\n```yml'],
    ['the history', '# History', '# Histroy'],
    ['a script, by tag', '```bash', '```Bash'],
    ['a number without its unit', 'timeout: 10m', 'timeout: 600'],
    ['a size that means two', '5MiB', '5MB'],
    ['a key that could be two', 'confirm: Sure?', 'confirms_typing: Sure?\nconfirm_typin: x'],
    ['a key whose right form is there', 'timeout: 10m', 'timeout: 10m\ntimout: 5m'],
    ['a section whose right form is there', '# Limits', '# Limts\n\n# Limits'],
    ['yes', 'tty: true', 'tty: yes'],
    ['the title of another file', '# Drain', '# Drains'],
    ['a step that is named like a part', '## Cordon', '## Rollback'],
    ['a fence that may be documentation', '# Limits\n```yaml', '# Limits\n```'],
  ])('%s', (_, right, wrong) => {
    const broken = WHOLE.replace(right, wrong);
    expect(broken).not.toBe(WHOLE);
    expect(parseRunbook(Buffer.from(broken), OPTIONS).problems.length).toBeGreaterThan(0);
    expect(fix(broken)).toMatchObject({ text: broken, fixed: [] });
  });

  test('a section at a lower level that the document does without: with it, it would mean something else', () => {
    const base = classic({ title: `# Drain\n\n#${LIMITS}` });
    expect(parseRunbook(Buffer.from(base), OPTIONS).runbook).not.toBeNull();
    expect(fix(base).text).toBe(base);
  });

  test('a step called like a section', () => {
    const base = steps(`## Script\n${fence('bash', 'true')}`);
    expect(fix(base).text).toBe(base);
  });

  test('a text that is not UTF-8', () => {
    const broken = Buffer.concat([Buffer.from(WHOLE.replace('# Limits', '# Limts')), Buffer.from([0x0a])]);
    broken[WHOLE.indexOf('Moves')] = 0xff;
    expect(fix(broken).bytes.equals(broken)).toBe(true);
  });
});

/** Everything that no repair may touch: the claims with their heading, what is executed, and the history. */
function kept(bytes: Uint8Array): readonly string[] {
  const { blocks, lines, tailBytes } = splitDocument(bytes);
  const headings = blocks.filter(isSectionHeading);
  const claimed = headings.flatMap((heading, index) =>
    heading.text === 'Required Claims'
      ? [lines.slice(heading.line - 1, (headings[index + 1]?.line ?? lines.length + 1) - 1).join('\n')]
      : [],
  );
  const scripts = blocks.flatMap((block) =>
    block.type === 'fence' && ['sh', 'bash', 'zsh', 'python', 'text', ''].includes(block.info)
      ? [`${block.info}\n${block.content}`]
      : [],
  );
  // An empty history may be added.
  const tail = Buffer.from(tailBytes).toString('latin1');
  return [...claimed, ...scripts, /^# History\r?\n$/.test(tail) ? '' : tail];
}

test('of any document: twice is once, the claims, the scripts and the history stay, and what was valid means the same', () => {
  let repaired = 0;
  fc.assert(
    fc.property(documentBytes, (bytes) => {
      const before = parseRunbook(bytes, OPTIONS);
      const { bytes: after, fixed } = fixDocument(bytes, OPTIONS);
      expect(Buffer.from(fixDocument(after, OPTIONS).bytes).equals(after)).toBe(true);
      expect(kept(after)).toEqual(kept(bytes));
      if (fixed.length === 0) expect(Buffer.from(after).equals(bytes)).toBe(true);
      else repaired += 1;
      const parsed = parseRunbook(after, OPTIONS);
      expect(parsed.problems.filter(({ edit }) => edit !== undefined)).toEqual([]);
      if (before.runbook !== null) expect(parsed.runbook).toEqual({ ...before.runbook, digest: parsed.digest });
    }),
    tries(1000, 300_000),
  );
  process.stdout.write(`repaired: ${repaired} of ${times(1000, 300_000)} documents\n`);
  expect(repaired).toBeGreaterThan(20);
});

test('several breaches of a right document at once: it is that document again', () => {
  const breaches = BREACHES.filter(([, , , base]) => base === undefined);
  fc.assert(
    fc.property(fc.subarray([...breaches], { minLength: 1 }), (chosen) => {
      let broken = WHOLE;
      // The title last: what stands above it moves everything.
      for (const [, right, wrong] of chosen) broken = broken.replace(right, wrong);
      expect(fix(broken).text).toBe(WHOLE);
    }),
    tries(60, 20_000),
  );
});
