import { scanBlocks } from '../../../../src/core/markdown/blocks.ts';
import type { Block } from '../../../../src/core/markdown/blocks.ts';

/** What the other renderers know of, too: headings, fences and comments. Where HTML begins has tests of its own. */
export function structureOf(text: string): readonly Block[] {
  return scanBlocks(text).filter((block) => block.type !== 'html');
}
