import { Parser } from 'commonmark';
import fc from 'fast-check';
import { Marked } from 'marked';
import type { Token } from 'marked';
import { describe, expect, test } from 'vitest';
import { block, code } from '../../../src/cli/markdown.ts';
import { inline } from '../../../src/cli/render.ts';
import { tries } from '../../helpers/property.ts';

const hostile = fc.oneof(
  fc.string({
    unit: fc.constantFrom(
      '`',
      '|',
      '\\',
      '<',
      '>',
      '~',
      '#',
      '*',
      '[',
      ']',
      '(',
      ')',
      '\n',
      '\r',
      ' ',
      '-',
      'a',
      '&',
      '@',
    ),
  }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '```\n# Heading\n```',
    '~~~\n</code></pre><script>',
    '| a | b |\n|---|---|',
    '\\',
    'a\\|b',
    '`'.repeat(70),
    '<!-- -->',
    'https://example.com @all #1',
    '[x]: https://example.com',
    '\u2028# x',
  ),
);

/** Types of all tokens that marked sees, with the text of those that have no parts. */
function tokensOf(markdown: string): readonly Token[] {
  const marked = new Marked();
  const tokens: Token[] = [];
  void marked.walkTokens(marked.lexer(markdown), (token) => {
    tokens.push(token);
  });
  return tokens;
}

describe('text of strangers', () => {
  test('in a row of a table is code in its own cell', () => {
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        const tokens = tokensOf(`| A | B | C |\n|---|---|---|\n| ${code(a)} | ${code(b)} | end |\n`);
        const [table] = tokens;
        if (table?.type !== 'table') throw new Error(`this is no table but ${table?.type}`);
        const cells = (table as unknown as { rows: { tokens: Token[] }[][] }).rows;
        expect(cells.map((row) => row.map(({ tokens: [first] }) => first?.type))).toEqual([
          [a, b, 'x'].map((text, n) => (n === 2 || inline(text).trim() === '' ? 'text' : 'codespan')),
        ]);
        expect(tokens.filter(({ type }) => !['table', 'codespan', 'text'].includes(type))).toEqual([]);
        const spans = tokens
          .filter(({ type }) => type === 'codespan')
          .map((token) => ('text' in token ? token.text : ''));
        const shown = [a, b].map(inline).filter((text) => text.trim() !== '');
        expect(spans.map((text: string) => text.trim())).toEqual(
          shown.map((text) => text.replaceAll('|', '\\u{7c}').trim()),
        );
      }),
      tries(1000, 50_000),
    );
  });

  test('in a paragraph is code, to both readers', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = `# Of ${code(text)}\n\nsee ${code(text)}: ${code(text)}\n`;
        const types = new Set(tokensOf(markdown).map(({ type }) => type));
        for (const type of types) expect(['heading', 'paragraph', 'space', 'text', 'codespan']).toContain(type);
        const walker = new Parser().parse(markdown).walker();
        for (let step = walker.next(); step !== null; step = walker.next()) {
          expect(['document', 'heading', 'paragraph', 'text', 'code']).toContain(step.node.type);
        }
      }),
      tries(1000, 50_000),
    );
  });

  test('in a block stays in it, to both readers', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = `before\n\n${block(text)}\nafter\n`;
        expect(tokensOf(markdown).map(({ type }) => type)).toEqual([
          'paragraph',
          'text',
          'space',
          'code',
          'space',
          'paragraph',
          'text',
        ]);
        const parsed = new Parser().parse(markdown);
        const types: string[] = [];
        for (let node = parsed.firstChild; node !== null; node = node.next) types.push(node.type);
        expect(types).toEqual(['paragraph', 'code_block', 'paragraph']);
      }),
      tries(1000, 50_000),
    );
  });
});
