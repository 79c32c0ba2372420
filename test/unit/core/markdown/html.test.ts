/** Where raw HTML begins that may hide what follows: everything but whole comments, at any depth. */
import { expect, test } from 'vitest';
import { scanBlocks } from '../../../../src/core/markdown/blocks.ts';

const CASES: readonly (readonly [name: string, text: string, lines: readonly number[]])[] = [
  ['a whole comment', '<!-- a -->\n', []],
  ['a whole comment of several lines', '<!-- a\n\nb -->\n# c', []],
  ['a comment and more', '<!-- a --> <div hidden>\n', [1]],
  ['two comments in a block', '<!-- a --> <!-- b', [1]],
  ['an open comment', 'x\n\n<!-- a\n# b', [3]],
  ['an open comment in a list', '- <!-- a\n\n# b', [1]],
  ['a whole comment in a list', '- <!-- a -->\n', []],
  ['a comment of several lines in a quote', '> <!-- a\n> b -->\n', [1]],
  ['an element', 'a\n\n<div>\n\n# b\n\n</div>', [3, 7]],
  ['an element alone in its line', '<name>\n', [1]],
  ['an element in a list', '- <details>\n', [1]],
  ['open raw text', '<pre>\n# a', [1]],
  ['an instruction', '<?php\n', [1]],
  ['a declaration', '<!DOCTYPE html>\n', [1]],
  ['CDATA', '<![CDATA[\n', [1]],
  ['text in a fence', '```\n<div>\n```', []],
  ['indented code', '    <div>\n', []],
  ['an address', '<https://example.com>\n', []],
];

test.each(CASES)('%s', (_name, text, lines) => {
  expect(scanBlocks(text).flatMap((block) => (block.type === 'html' ? [block.line] : []))).toEqual(lines);
});
