/** RUNBOOK_FORMAT.md says what the parser does: its rules, lists and examples are held to the code. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DENIED_NAMES } from '../../../../src/core/environment-names.ts';
import { INTERPRETER_NAMES, interpreterOf } from '../../../../src/core/interpreters.ts';
import { scanBlocks } from '../../../../src/core/markdown/blocks.ts';
import { RULES } from '../../../../src/core/parse/rules.ts';
import { SECTION_NAMES } from '../../../../src/core/parse/sections.ts';
import { parse } from './documents.ts';

const text = readFileSync(new URL('../../../../RUNBOOK_FORMAT.md', import.meta.url), 'utf8');

/** `### Example: <file>` and the fence that follows. */
function examples(): readonly [string, string][] {
  const blocks = scanBlocks(text);
  return blocks.flatMap((block, index): [string, string][] => {
    if (block.type !== 'heading' || !block.text.startsWith('Example: ')) return [];
    const fence = blocks[index + 1];
    if (fence?.type !== 'fence' || fence.info !== 'markdown') throw new Error(`${block.text} has no document`);
    return [[block.text.replaceAll(/^Example: |`/g, ''), fence.content]];
  });
}

test("the table of rules is the parser's", () => {
  const rows = [...text.matchAll(/^\| `([a-z0-9-]+)` \| (error|warning) \| (.+) \|$/gm)].map(
    ([, id, severity, meaning]) => [id, { severity, meaning }],
  );
  expect(rows).toEqual(Object.entries(RULES));
});

test.each(examples())('the example %s is valid and without warnings', (fileName, document) => {
  const { runbook, problems } = parse(document, { fileName, today: '2027-01-01' });
  expect(problems).toEqual([]);
  expect(runbook).not.toBeNull();
});

test('every example is parsed, and both kinds are shown', () => {
  expect(examples()).toHaveLength(text.match(/^~~~~markdown$/gm)?.length ?? 0);
  expect(new Set(examples().map(([, document]) => parse(document).runbook?.kind))).toEqual(
    new Set(['classic', 'steps']),
  );
});

test('every denied name, section and tag is named', () => {
  for (const name of DENIED_NAMES) expect(text).toContain(`\`${name}\``);
  for (const name of SECTION_NAMES) expect(text).toContain(`| \`# ${name}\` |`);
});

test("the table of interpreters is the code's", () => {
  const rows = new Map(
    [...text.matchAll(/^\| `(sh|bash|zsh|python)` \| `([^`]+)`[^|]* \| `([^`]+)` \|$/gm)].map(
      ([, tag = '', ...cells]) => [tag, cells],
    ),
  );
  const command = (tag: string, kind: 'classic' | 'steps') => {
    const name = INTERPRETER_NAMES.find((candidate) => interpreterOf(candidate).tags[kind].includes(tag));
    if (name === undefined) return 'none';
    const { programs, baseOptions, options } = interpreterOf(name);
    return [programs[0], ...baseOptions, ...options[kind]].join(' ');
  };
  expect(rows.size).toBe(4);
  for (const [tag, cells] of rows) expect(cells).toEqual([command(tag, 'classic'), command(tag, 'steps')]);
});
