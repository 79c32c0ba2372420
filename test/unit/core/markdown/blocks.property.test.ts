import { assert, property } from 'fast-check';
import { expect, it } from 'vitest';

import type { Block } from '../../../../src/core/markdown/blocks.ts';
import { structureOf } from './structure.ts';
import type { FragileConstruct } from '../../../helpers/fragile-lines.ts';
import { fragileLines } from '../../../helpers/fragile-lines.ts';
import type { Correction, Fact } from './commonmark.oracle.ts';
import { commonmarkFacts, CORRECTIONS, resolvedInfo } from './commonmark.oracle.ts';
import { markdown } from './document.arbitrary.ts';
import { fenceFact, headingFact, markedFacts } from './marked.oracle.ts';
import { isLong, times } from '../../../helpers/property.ts';

const DOCUMENTS = times(5000, 1_000_000);
const CHUNK = 20_000;
/** The short run is the same every time; a long one goes where no run has been. fast-check prints the seed of a failure. */
const SEED = isLong ? Date.now() % 2 ** 31 : 1;

function forAllDocuments(check: (text: string) => void): void {
  for (let done = 0; done < DOCUMENTS; done += CHUNK) {
    assert(property(markdown, check), { seed: (SEED + done) | 0, numRuns: Math.min(CHUNK, DOCUMENTS - done) });
  }
}

function factOf(block: Block): Fact {
  switch (block.type) {
    case 'heading':
      return ['heading', block.style, block.level, block.text, block.line, block.column, block.endLine];
    case 'fence': {
      const { info, content, line, column, endLine } = block;
      return ['fence', info, resolvedInfo(info), content, line, column, endLine];
    }
    case 'comment':
      return ['comment', block.text, block.line, block.column, block.endLine];
    default:
      return [block.type, block.line, block.column];
  }
}

/** Name of the smallest set of corrections with which commonmark.js agrees. */
function agreement(text: string, ours: string): string | null {
  const agrees = (corrections: readonly Correction[]): boolean =>
    JSON.stringify(commonmarkFacts(text, corrections)) === ours;
  if (agrees([])) return 'as it is';
  const single = CORRECTIONS.find((correction) => agrees([correction]));
  if (single !== undefined) return single.name;
  return agrees(CORRECTIONS) ? 'several corrections' : null;
}

it(`agrees with commonmark.js on ${DOCUMENTS} documents`, () => {
  const counts: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  forAllDocuments((text) => {
    const blocks = structureOf(text);
    const ours = JSON.stringify(blocks.map(factOf));
    const name = agreement(text, ours);
    expect(name === null ? JSON.stringify(commonmarkFacts(text, CORRECTIONS)) : ours).toBe(ours);
    counts[name ?? ''] = (counts[name ?? ''] ?? 0) + 1;
    for (const { type } of blocks) kinds[type] = (kinds[type] ?? 0) + 1;
  });
  process.stdout.write(
    `commonmark.js, seed ${SEED}: ${JSON.stringify({ documents: DOCUMENTS, ...counts, found: kinds })}\n`,
  );
  expect((counts['as it is'] ?? 0) / DOCUMENTS).toBeGreaterThan(0.9);
});

function sharedFacts(blocks: readonly Block[]): Fact[] {
  return blocks.flatMap((block) => {
    if (block.type === 'heading') return [headingFact(block.level, block.text, block.line)];
    return block.type === 'fence' ? [fenceFact(block.info, block.content, block.line)] : [];
  });
}

/** All three parsers, none of them corrected; where marked throws, nobody is shown anything wrong. */
function expectAgreement(text: string, blocks: readonly Block[]): void {
  expect(markedFacts(text) ?? sharedFacts(blocks)).toEqual(sharedFacts(blocks));
  expect(commonmarkFacts(text)).toEqual(blocks.map(factOf));
}

function markedAgrees(text: string): boolean {
  return JSON.stringify(markedFacts(text)) === JSON.stringify(sharedFacts(structureOf(text)));
}

it(`agrees with marked on those of ${DOCUMENTS} documents that hold nothing fragile`, () => {
  const disagreeing: Record<string, number> = {};
  let plain = 0;
  let plainBlocks = 0;
  let throws = 0;
  let agreeing = 0;
  forAllDocuments((raw) => {
    const text = raw.replaceAll('\0', '\ufffd');
    const blocks = structureOf(text);
    const marked = markedFacts(text);
    const agrees = JSON.stringify(marked) === JSON.stringify(sharedFacts(blocks));
    const construct = fragileLines(text, blocks)[0]?.construct;
    if (construct === undefined) {
      expectAgreement(text, blocks);
      plain += 1;
      plainBlocks += blocks.length;
    } else if (!agrees) {
      disagreeing[construct] = (disagreeing[construct] ?? 0) + 1;
    }
    if (agrees) agreeing += 1;
    if (marked === null) throws += 1;
  });
  const counts = { documents: DOCUMENTS, agreeing, plain, plainBlocks, disagreeing, throws };
  process.stdout.write(`marked, seed ${SEED}: ${JSON.stringify(counts)}\n`);
  expect(plain / DOCUMENTS).toBeGreaterThan(0.1);
  expect(plainBlocks / plain).toBeGreaterThan(0.2);
  expect(agreeing / DOCUMENTS).toBeGreaterThan(0.9);
  expect(throws / DOCUMENTS).toBeLessThan(0.001);
});

/** Each fragile construct is one because marked leaves CommonMark in a document as small as this. */
const DISAGREEMENTS: readonly (readonly [string, FragileConstruct, string])[] = [
  ['takes a closing pre tag for the start of HTML', 'html', '</pre>\n# Hidden by marked'],
  ['looks for the end of <?> behind the mark', 'html', '<?>\n# Hidden by marked'],
  ['lets a definition reach over a heading', 'definition', '[a]:\n#'],
  ['lets the title of a definition reach over headings', 'definition', '[a]: /u "\n# Hidden by marked\n"'],
  ['hides a fence in a definition', 'definition', '[a]:\n```'],
  ['does not let an empty item be text of a heading', 'underline', 'text\n1. \n==='],
  ['sees a table where the underline makes a heading', 'underline', '--- | ---\n==='],
  ['does not close a fence that a tab follows', 'tab', '```\nx\n```\t\n# Hidden by marked'],
  ['takes backticks in an item for a fence', 'false-fence', '- ```a`\nb\n  # Top level to marked only'],
  ['sees a table where an item interrupts', 'table', '-|-\n- |-\n  # Top level to marked only'],
  ['lets an empty item interrupt text behind a list', 'empty-item', '3.\n   >\na\n*\n  # Hidden by marked'],
  ['ends an item at a lazy line', 'lazy-item', '- a\n      b\nc\n  ~~~'],
  ['takes other white space for a space', 'white-space', '#\u00a0Heading to marked only'],
  ['leaves the indentation of a tilde fence', 'indented-fence', '\n  ~~~\n  x\n  ~~~'],
];

it.each(DISAGREEMENTS)('knows that marked %s', (_name, construct, text) => {
  expect(markedAgrees(text)).toBe(false);
  expect(fragileLines(text, structureOf(text)).map((fragile) => fragile.construct)).toContain(construct);
});

it('knows that marked throws on an item that ends a quote in an item and is empty', () => {
  expect(markedFacts('- a\n  >+\nb')).toBeNull();
  expect(structureOf('- a\n  >+\nb\n# c')).toHaveLength(1);
});
