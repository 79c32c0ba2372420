import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { Block } from '../../../../src/core/parse/blocks.ts';
import { scanBlocks } from '../../../../src/core/parse/blocks.ts';
import type { Correction, Fact } from './commonmark.oracle.ts';
import { commonmarkFacts, CORRECTIONS, resolvedInfo } from './commonmark.oracle.ts';
import { markdown } from './document.arbitrary.ts';

const LONG = Boolean(process.env['RUNBOOK_TEST_LONG']);
const DOCUMENTS = LONG ? 1_000_000 : 20_000;
const CHUNK = 20_000;
/** The short run is the same every time; a long one goes where no run has been. fast-check prints the seed of a failure. */
const SEED = LONG ? Date.now() % 2 ** 31 : 1;
const TIMEOUT_MS = LONG ? 3_600_000 : 120_000;

function forAllDocuments(check: (text: string) => void): void {
  for (let done = 0; done < DOCUMENTS; done += CHUNK) {
    fc.assert(fc.property(markdown, check), { seed: (SEED + done) | 0, numRuns: Math.min(CHUNK, DOCUMENTS - done) });
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
    case 'too-deep':
      return ['too-deep', block.line, block.column];
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

it(`agrees with commonmark.js on ${DOCUMENTS} documents`, { timeout: TIMEOUT_MS }, () => {
  const counts: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  forAllDocuments((text) => {
    const blocks = scanBlocks(text);
    const ours = JSON.stringify(blocks.map(factOf));
    const name = agreement(text, ours);
    if (name === null) expect(ours).toBe(JSON.stringify(commonmarkFacts(text, CORRECTIONS)));
    else counts[name] = (counts[name] ?? 0) + 1;
    for (const { type } of blocks) kinds[type] = (kinds[type] ?? 0) + 1;
  });
  process.stdout.write(
    `commonmark.js, seed ${SEED}: ${JSON.stringify({ documents: DOCUMENTS, ...counts, found: kinds })}\n`,
  );
  expect((counts['as it is'] ?? 0) / DOCUMENTS).toBeGreaterThan(0.9);
});
