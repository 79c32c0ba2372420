/** What is in the project's documents: links, anchors, and the commands that a reader would paste. */
import { Marked } from 'marked';
import type { Token, Tokens } from 'marked';

const marked = new Marked();

const isLink = (token: Token): token is Tokens.Link => token.type === 'link';
const isHeading = (token: Token): token is Tokens.Heading => token.type === 'heading';
const isCode = (token: Token): token is Tokens.Code => token.type === 'code';
const isCodeSpan = (token: Token): token is Tokens.Codespan => token.type === 'codespan';

function tokensOf(text: string): readonly Token[] {
  const found: Token[] = [];
  void marked.walkTokens(marked.lexer(text), (token) => void found.push(token));
  return found;
}

/** Addresses of all links, as they are written. */
export function linksOf(text: string): readonly string[] {
  return tokensOf(text)
    .filter(isLink)
    .map(({ href }) => href);
}

/** What `#…` may be, as GitHub makes it of the headings. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const { text: heading } of tokensOf(text).filter(isHeading)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    let one = anchor;
    for (let n = 1; anchors.has(one); n += 1) one = `${anchor}-${n}`;
    anchors.add(one);
  }
  return anchors;
}

/** What stands in `code` within a line. */
export function codeSpansOf(text: string): readonly string[] {
  return tokensOf(text)
    .filter(isCodeSpan)
    .map((span) => span.text);
}

/** Fenced blocks with this tag. */
export function codeBlocksOf(text: string, tag: string): readonly string[] {
  return tokensOf(text)
    .filter(isCode)
    .filter(({ lang }) => lang === tag)
    .map((block) => block.text);
}

/** Every call of `runbook`, as words: in fences for a shell or a terminal, and in `code` within a line. */
export function callsOf(text: string): readonly (readonly string[])[] {
  const tokens = tokensOf(text);
  const fences = tokens
    .filter(isCode)
    .filter(({ lang, codeBlockStyle }) => codeBlockStyle !== 'indented' && /^(?:sh|console)?$/.test(lang ?? ''));
  const pasted = fences.flatMap(({ lang, text: code }) => commandLines(code, lang === 'sh'));
  return [...pasted, ...codeSpansOf(text).filter((span) => span.startsWith('runbook '))].flatMap(callsIn);
}

/** Of a terminal's text what stands behind a prompt; of a script all of it. A backslash goes on. */
function commandLines(code: string, isScript: boolean): readonly string[] {
  const lines = code.replaceAll(/\\\n\s*/g, ' ').split('\n');
  return isScript ? lines : lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
}

/** The calls in one line of a shell: behind a pipe, in `$(…)`, behind variables. */
function callsIn(line: string): string[][] {
  const calls: string[][] = [...line.matchAll(/\$\(([^()]*)\)/g)].flatMap(([, inner]) => callsIn(inner ?? ''));
  let call: string[] | null = null;
  let begins = true;
  for (const word of wordsOf(line)) {
    if (isSeparator(word)) {
      call = null;
      begins = true;
    } else if (call !== null) call.push(word);
    else if (begins && word === 'runbook') calls.push((call = []));
    else if (!/^\w+=/.test(word)) begins = false;
  }
  return calls;
}

const isSeparator = (word: string): boolean => /^(?:[|&;]+|[()]|[<>].*)$/.test(word);

/** Quotes are taken away, what stands behind a `#` too; not all of a shell, but all that the documents use. */
function wordsOf(line: string): readonly string[] {
  const word = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\([^()]*\)|[^\s'"\\|&;()<>])+|[|&;]+|[()]|[<>]+[^\s]*/g;
  const words: string[] = [];
  for (const [found] of line.matchAll(word)) {
    if (found.startsWith('#')) break;
    words.push(found.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, '$1$2'));
  }
  return words;
}
