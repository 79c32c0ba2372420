import { describe, expect, it } from 'vitest';

import type { Block } from '../../../../src/core/markdown/blocks.ts';
import { structureOf } from './structure.ts';
import { commonmarkFacts } from './commonmark.oracle.ts';

/** `h2 Text @3`, `setext1 Text @1-2`, `fence sh @1-3 {content}`, `open fence …` for an unclosed one, `comment text @1-2`. */
function show(block: Block): string {
  switch (block.type) {
    case 'heading':
      return block.style === 'atx'
        ? `h${block.level} ${block.text} @${block.line}`
        : `setext${block.level} ${block.text} @${block.line}-${block.endLine}`;
    case 'fence': {
      const { closed, info, line, endLine, content } = block;
      return `${closed ? '' : 'open '}fence ${info} @${line}-${endLine} {${content}}`;
    }
    case 'comment':
      return `comment ${block.text} @${block.line}-${block.endLine}`;
    default:
      return `${block.type} @${block.line}:${block.column}`;
  }
}

type Case = readonly [name: string, text: string, blocks: readonly string[]];

function check(_name: string, text: string, blocks: readonly string[]): void {
  expect(structureOf(text).map(show)).toEqual(blocks);
}

const ATX: readonly Case[] = [
  ['empty document', '', []],
  ['all six levels', '# a\n###### b', ['h1 a @1', 'h6 b @2']],
  ['seven hashes are text', '####### seven', []],
  ['no space after the hash', '#hash', []],
  ['a tab after the hash', '#\thash', ['h1 hash @1']],
  ['a no-break space after the hash is no space', '#\u00a0hash', []],
  ['nothing after the hash', '#', ['h1  @1']],
  ['closing hashes', '## a ##   ', ['h2 a @1']],
  ['more closing hashes than opening ones', '# a #####', ['h1 a @1']],
  ['closing hashes that touch the text', '# a#', ['h1 a# @1']],
  ['an escaped closing hash', '# a \\#', ['h1 a \\# @1']],
  ['nothing but closing hashes', '### ###', ['h3  @1']],
  ['closing hashes go once', '# a # #', ['h1 a # @1']],
  ['three spaces of indentation', '   # a', ['h1 a @1']],
  ['four spaces make code', '    # a', []],
  ['a tab makes code', '\t# a', []],
  ['four spaces continue a paragraph', 'text\n    # a', []],
  ['interrupts a paragraph', 'text\n# a\ntext', ['h1 a @2']],
  ['escaped', '\\# a', []],
  ['inline markup stays raw', '# `a` *b*', ['h1 `a` *b* @1']],
  ['no-break spaces around the text stay', '# \u00a0a\u00a0', ['h1 \u00a0a\u00a0 @1']],
];

const SETEXT: readonly Case[] = [
  ['level one and two', 'a\n===\n\nb\n-', ['setext1 a @1-2', 'setext2 b @4-5']],
  ['several lines', 'a\n  b\nc\n===', ['setext1 a\nb\nc @1-4']],
  ['an underline indented by three', 'a\n   ===   ', ['setext1 a @1-2']],
  ['an underline indented by four is text', 'a\n    ===', []],
  ['spaces within the underline', 'a\n= =', []],
  ['dashes with spaces are a thematic break', 'a\n- - -\n===', []],
  ['an underline without text', '\n===', []],
  ['after a blank line', 'a\n\n===', []],
  ['a fence is no text', '```\na\n```\n---', ['fence  @1-3 {a}']],
  ['not below a quote', '> a\n---', []],
  ['not as a lazy line', '> a\n===', []],
  ['within a quote', '> a\n> ===', []],
  ['not below a list item', '- a\n===', []],
  ['within an item', '- a\n  ===', []],
  ['an empty item cannot interrupt the text', 'a\n1.\n===', ['setext1 a\n1. @1-3']],
  ['item number two cannot interrupt the text', 'a\n2. b\n===', ['setext1 a\n2. b @1-3']],
  ['item number one can', 'a\n1. b\n===', []],
  ['after an indented second line', 'a\n      b\n===', ['setext1 a\nb @1-3']],
];

const DEFINITIONS: readonly Case[] = [
  ['a definition is no heading', '[a]: /u\n===', []],
  ['but the next underline has text', '[a]: /u\n===\n===', ['setext1 === @2-3']],
  ['and dashes are a thematic break', '[a]: /u\n---\n===', []],
  ['text below the definition', '[a]: /u\nb\n===', ['setext1 b @2-3']],
  ['two definitions', '[a]: /u\n[b]: <x y> "t"\n===', []],
  ['a destination on the next line', '[a]:\n/u\n===', []],
  ['a title on the next line', '[a]: /u\n"t"\n===', []],
  ['a title over several lines', "[a]: /u 't\nu'\n===", []],
  ['text after a title makes it text', '[a]: /u\n"t" x\n===', ['setext1 "t" x @2-3']],
  ['text after a title on the same line', '[a]: /u "t" x\n===', ['setext1 [a]: /u "t" x @1-2']],
  ['no destination', '[a]:\n===', ['setext1 [a]: @1-2']],
  ['an empty destination', '[a]: <>\n===', []],
  ['an unfinished destination', '[a]: <x\n===', ['setext1 [a]: <x @1-2']],
  ['an escaped angle bracket', '[a]: <x\\>y>\n===', []],
  ['balanced parentheses', '[a]: (x(y))\n===', []],
  ['unbalanced parentheses', '[a]: (x(y)\n===', ['setext1 [a]: (x(y) @1-2']],
  ['a title has to be separate', '[a]: <x>"t"\n===', ['setext1 [a]: <x>"t" @1-2']],
  ['an empty label', '[ ]: /u\n===', ['setext1 [ ]: /u @1-2']],
  ['an escaped bracket in the label', '[\\]]: /u\n===', []],
  ['a bracket in the label', '[a[]: /u\n===', ['setext1 [a[]: /u @1-2']],
  ['a label over several lines', '[a\nb]: /u\n===', []],
  ['a label of 999 characters', `[${'a'.repeat(999)}]: /u\n===`, []],
  ['a label of 1000 characters', `[${'a'.repeat(1000)}]: /u\n===`, [`setext1 [${'a'.repeat(1000)}]: /u @1-2`]],
  ['cannot interrupt a paragraph', 'x\n[a]: /u\n===', ['setext1 x\n[a]: /u @1-3']],
  ['tabs separate like spaces', '[a]:\t/u\t"t"\t\n===', []],
  ['a title in parentheses', '[a]: /u (t\\))\n===', []],
  ['a definition ends laziness', '> [a]: /u\n> ===\nb\n===', []],
];

const FENCES: readonly Case[] = [
  ['backticks', '```sh\necho\n```', ['fence sh @1-3 {echo}']],
  ['tildes', '~~~ yaml\na: b\n~~~', ['fence yaml @1-3 {a: b}']],
  ['a heading inside', '```\n# History\n```', ['fence  @1-3 {# History}']],
  ['a longer fence holds a shorter one', '````\n```\n````', ['fence  @1-3 {```}']],
  ['a longer closing fence', '```\na\n`````', ['fence  @1-3 {a}']],
  ['the other character does not close', '```\n~~~\n```', ['fence  @1-3 {~~~}']],
  ['two backticks are none', '``\n# a\n``', ['h1 a @2']],
  ['a backtick in the info string', '``` a`b\n# h', ['h1 h @2']],
  ['a backtick behind a line separator', '``` a\u2028`b\n# h', ['h1 h @2']],
  ['a backtick in the info string of tildes', '~~~ a`b\n~~~', ['fence a`b @1-2 {}']],
  ['an info string of several words', '```  sh  x  \n```', ['fence sh  x @1-2 {}']],
  ['an info string stays raw', '``` a&amp;\\*\n```', ['fence a&amp;\\* @1-2 {}']],
  ['text after the closing fence', '```\n``` x\n```', ['fence  @1-3 {``` x}']],
  ['a tab after the closing fence', '```\n```\t\n# a', ['fence  @1-2 {}', 'h1 a @3']],
  ['a closing fence indented by three', '```\n   ```\n# a', ['fence  @1-2 {}', 'h1 a @3']],
  ['a closing fence indented by four', '```\n    ```\n# a', ['open fence  @1-3 {    ```\n# a}']],
  ['a fence indented by four', '    ```\n# a', ['h1 a @2']],
  ['unclosed', 'a\n```sh\nb\n\n', ['open fence sh @2-4 {b\n}']],
  ['unclosed on the last line', '```', ['open fence  @1-1 {}']],
  ['indentation goes as far as there is any', '  ```\n   a\n b\n  ```', ['fence  @1-4 { a\nb}']],
  ['half a tab goes', ' ```\n\ta\n ```', ['fence  @1-3 {   a}']],
  ['blank lines stay', '```\n\n  \n```', ['fence  @1-4 {\n  }']],
  ['interrupts a paragraph', 'a\n```\nb\n```\n===', ['fence  @2-4 {b}']],
  ['two in a row', '```\n```\n```\n```', ['fence  @1-2 {}', 'fence  @3-4 {}']],
  ['content keeps tabs', '```\n\ta\t\n```', ['fence  @1-3 {\ta\t}']],
  ['NUL becomes U+FFFD', '```\n\0\n```', ['fence  @1-3 {\ufffd}']],
];

const CONTAINERS: readonly Case[] = [
  ['a heading in a quote', '> # a', []],
  ['a heading in an item', '- # a\n\n  # b\n# c', ['h1 c @4']],
  ['a fence in a quote ends with it', '> ```\n# a', ['h1 a @2']],
  ['a fence in an item ends with it', '- ```\n# a', ['h1 a @2']],
  ['a fence in an item', '- ```\n  # a\n  ```\n', []],
  ['an item needs its indentation', '1.  a\n\n   # b', ['h1 b @3']],
  ['a tab is enough for an item', '-\ta\n\n\t# b', []],
  ['a tab after a wide marker', '10.\ta\n\n    # b', []],
  ['a blank first line ends an empty item', '-\n\n  # a', ['h1 a @3']],
  ['an item with a blank first line', '-\n  # a', []],
  ['five spaces after the marker are code', '-     # a\n  # b', []],
  ['a lazy line', '> a\nb\n# c', ['h1 c @3']],
  ['a lazy line deep inside', '> - > a\nb\n===', []],
  ['no lazy line after a blank one', '> a\n\nb\n===', ['setext1 b @3-4']],
  ['a fence is not continued lazily', '> ```\na\n===', ['setext1 a @2-3']],
  ['a heading is not continued lazily', '> # x\na\n===', ['setext1 a @2-3']],
  ['ten digits are no marker', '1234567890. # a\n===', ['setext1 1234567890. # a @1-2']],
  ['a marker needs a space', '-# a\n===', ['setext1 -# a @1-2']],
  ['a thematic break is no item', '* * *\n  # a', ['h1 a @2']],
  ['an empty item', '-\n# a', ['h1 a @2']],
  ['a quote in the middle of text', 'a\n> b\n===', []],
  ['64 levels are read', `${'> '.repeat(64)}a\n\n# b`, ['h1 b @3']],
  ['65 levels end the scan', `# a\n${'> '.repeat(65)}a\n\n# b`, ['h1 a @1', 'too-deep @2:129']],
];

const HTML: readonly Case[] = [
  ['a comment', '<!-- a -->\n# b', ['comment a @1-1', 'h1 b @2']],
  ['a comment hides a heading', '<!--\n# a\n-->\n# b', ['comment # a @1-3', 'h1 b @4']],
  ['a comment holds blank lines', '<!--\n\n# a\n\n-->', ['comment # a @1-5']],
  ['an unclosed comment', '<!--\n\n# a\n```', ['comment # a\n``` @1-4']],
  ['text behind a comment belongs to the block', '<!-- a --> # b\n# c', ['comment a @1-1', 'h1 c @2']],
  ['the shortest comments', '<!-->\n<!--->\n# a', ['comment  @1-1', 'comment  @2-2', 'h1 a @3']],
  ['interrupts a paragraph', 'a\n<!-- b\n===', ['comment b\n=== @2-3']],
  ['within a line', 'a <!--\n# b', ['h1 b @2']],
  ['within a quote', '> <!--\n# b', ['h1 b @2']],
  ['within a fence', '```\n<!--\n```\n# b', ['fence  @1-3 {<!--}', 'h1 b @4']],
  ['indented by four', '    <!--\n# b', ['h1 b @2']],
  ['script up to its end', '<script>\n\n# a\n</script>\n# b', ['h1 b @5']],
  ['the end of another raw tag counts as well', '<STYLE\n\n# a\n</pre>x\n# b', ['h1 b @5']],
  ['a processing instruction', '<? a\n\n# b\n?>\n# c', ['h1 c @5']],
  ['a declaration', '<!DOCTYPE\n\n# a\n>\n# b', ['h1 b @5']],
  ['CDATA', '<![CDATA[\n\n# a\n]]>\n# b', ['h1 b @5']],
  ['a block tag up to a blank line', '<div\n# a\n\n# b', ['h1 b @4']],
  ['a block tag interrupts a paragraph', 'a\n</section>\n===', []],
  ['any complete tag up to a blank line', '<x-y a b=c d="e" f=\'g\' />\n# a\n\n# b', ['h1 b @4']],
  ['any other tag does not interrupt a paragraph', 'a\n<b>\n===', ['setext1 a\n<b> @1-3']],
  ['an incomplete tag is text', '<b\n===', ['setext1 <b @1-2']],
  ['text behind a tag', '<b> a\n===', ['setext1 <b> a @1-2']],
  ['a value without quotes has no equals sign', '<b a=c=d>\n===', ['setext1 <b a=c=d> @1-2']],
  ['an attribute needs a space', '<b a="c"d>\n===', ['setext1 <b a="c"d> @1-2']],
  ['a closing tag has no attributes', '</b a>\n===', ['setext1 </b a> @1-2']],
  ['a closing raw tag starts no HTML', '</pre>\n# a', ['h1 a @2']],
  ['an autolink', '<https://a>\n===', ['setext1 <https://a> @1-2']],
];

const TABLES = { ATX, SETEXT, DEFINITIONS, FENCES, CONTAINERS, HTML };

describe.each(Object.entries(TABLES))('%s', (_table, cases) => {
  it.each(cases)('%s', check);
});

it('says where a block starts and ends', () => {
  const columns = structureOf(' # a\n  b\nc\n---\n   ```\n   ```').map(({ line, column }) => [line, column]);
  expect(columns).toEqual([
    [1, 2],
    [2, 3],
    [5, 4],
  ]);
});

/** The cases in which commonmark.js as published leaves the specification; everything else it decides. */
const OWN_READING = new Set([
  'a backtick behind a line separator',
  'tabs separate like spaces',
  'a closing raw tag starts no HTML',
  '65 levels end the scan',
]);

it('expects of the cases above what commonmark.js says', () => {
  const cases = Object.values(TABLES).flat();
  const differing = cases.filter(([, text]) => {
    const ours = structureOf(text).map((block) => [block.type, block.line, 'endLine' in block ? block.endLine : null]);
    const theirs = commonmarkFacts(text).map((fact) => [fact[0], fact.at(-3), fact.at(-1)]);
    return JSON.stringify(ours) !== JSON.stringify(theirs);
  });
  expect(new Set(differing.map(([name]) => name))).toEqual(OWN_READING);
});
