/** Finds the regular expression literals of TypeScript text, without a parser: strings, templates and comments skipped. */

export interface RegexLiteral {
  readonly source: string;
  readonly flags: string;
  readonly line: number;
}

const SKIPPED = /^(?:\/\/[^\n]*|\/\*[^]*?\*\/|'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*")/;
const LITERAL = /^\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+)\/([a-z]*)/;
const WORD = /^[\p{L}_$\d#][\p{L}_$\d]*/u;
/** After these words an expression begins; after other words and after `)`, `]`, `}` a slash divides. */
const BEFORE_EXPRESSION = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'void',
  'await',
  'yield',
  'default',
  'throw',
]);

export function regexLiterals(text: string): readonly RegexLiteral[] {
  const found: RegexLiteral[] = [];
  /** Depth of braces at which each open template's `${` ends. */
  const templates: number[] = [];
  let depth = 0;
  let divides = false;
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at, at + 4000);
    const character = text[at] ?? '';
    const skipped = SKIPPED.exec(rest)?.[0];
    const literal = divides ? null : LITERAL.exec(rest);
    const word = WORD.exec(rest)?.[0];
    if (skipped !== undefined) {
      at += skipped.length;
      if (!skipped.startsWith('/')) divides = true;
    } else if (literal !== null) {
      found.push({ source: literal[1] ?? '', flags: literal[2] ?? '', line: text.slice(0, at).split('\n').length });
      at += literal[0].length;
      divides = true;
    } else if (character === '`' || (character === '}' && templates.at(-1) === depth)) {
      if (character === '}') templates.pop();
      at = templateEnd(text, at + 1);
      if (text[at - 1] === '{') templates.push(depth);
      divides = text[at - 1] === '`';
    } else if (word !== undefined) {
      at += word.length;
      divides = !BEFORE_EXPRESSION.has(word);
    } else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      if (character.trim() !== '') divides = ')]}'.includes(character);
      at += 1;
    }
  }
  return found;
}

/** Behind the closing backtick, or behind the `${` of the next expression. */
function templateEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`') return at + 1;
    else if (text[at] === '$' && text[at + 1] === '{') return at + 2;
  }
  return text.length;
}
