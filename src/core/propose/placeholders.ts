/** Places in commands that a reader is to fill in: `<host>`, `{{host}}`, `HOST_HERE`, `YOUR_HOST`; they become variables. */
import { deniedFromSteps } from '../environment-names.ts';
import { WELL_KNOWN } from '../text-variables.ts';
import { hereDocumentEnd } from './commands.ts';

const TEMPLATE_WORDS = new Set(['end', 'else', 'range', 'if', 'with', 'template', 'block', 'define']);
const PLACEHOLDER =
  /<([A-Za-z][\w.-]*(?: [\w.-]+)*)>|\{\{ ?([A-Za-z][\w-]*) ?\}\}|(?<![\w$])YOUR[_-]([A-Z][A-Z0-9_]*)|(?<![\w$])([A-Z][A-Z0-9_]*)_HERE(?!\w)/y;

export interface Placeholder {
  /** As it stands in the page. */
  readonly text: string;
  readonly variable: string;
  /** Index of the line in the script. */
  readonly at: number;
}

export interface Filled {
  readonly lines: readonly string[];
  readonly placeholders: readonly Placeholder[];
}

/** `host name` → `HOST_NAME`; a name that means something else already gets another. */
export function variableName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase();
  const named = /^[A-Z_]/.test(name) ? name : `VALUE_${name}`;
  return WELL_KNOWN.has(named) || deniedFromSteps(named) ? `TARGET_${named}` : named;
}

/** The script with variables in their places, quoted as the shell needs it there. */
export function fillPlaceholders(script: readonly string[]): Filled {
  const placeholders: Placeholder[] = [];
  let quote: '' | "'" | '"' = '';
  let until: string | null = null;
  const lines = script.map((line, at) => {
    const inDocument = until !== null;
    if (inDocument && line.trim() === until) until = null;
    let filled = '';
    for (let index = 0; index < line.length;) {
      const character = line.charAt(index);
      const isComment =
        quote === '' && !inDocument && character === '#' && /^$|[ \t]$/.test(line.slice(0, index).slice(-1));
      if (isComment) return filled + line.slice(index);
      const found = placeholderAt(line, index);
      if (found !== null) {
        placeholders.push({ text: found.text, variable: found.variable, at });
        filled += reference(found.variable, inDocument ? '"' : quote);
        index += found.text.length;
        continue;
      }
      if (character === '\\' && quote !== "'") {
        filled += line.slice(index, index + 2);
        index += 2;
        continue;
      }
      if (!inDocument && (character === "'" || character === '"') && (quote === '' || quote === character))
        quote = quote === '' ? character : '';
      filled += character;
      index += 1;
    }
    if (!inDocument && quote === '') until = hereDocumentEnd(line);
    return filled;
  });
  return { lines, placeholders };
}

function placeholderAt(line: string, index: number): { readonly text: string; readonly variable: string } | null {
  if (line.charAt(index) === '<' && line.charAt(index - 1) === '<') return null;
  PLACEHOLDER.lastIndex = index;
  const match = PLACEHOLDER.exec(line);
  if (match === null) return null;
  const name = match.slice(1).find((group) => group !== undefined) ?? '';
  // `{{end}}` is a template's, `<a>` most likely a tag.
  if (name.length < 2 || (match[2] !== undefined && TEMPLATE_WORDS.has(name))) return null;
  return { text: match[0], variable: variableName(name) };
}

export function hasPlaceholder(code: string): boolean {
  return fillText(code).placeholders.length > 0;
}

/** The same in a text for a person, where `$HOST` is put in before it is shown. */
export function fillText(text: string): { readonly text: string; readonly placeholders: readonly Placeholder[] } {
  const placeholders: Placeholder[] = [];
  let filled = '';
  for (let index = 0; index < text.length;) {
    const found = placeholderAt(text, index);
    const next = index + (found?.text.length ?? 1);
    if (found !== null) placeholders.push({ ...found, at: 0 });
    if (found === null) filled += text.charAt(index);
    else filled += /\w/.test(text.charAt(next)) ? `\${${found.variable}}` : `$${found.variable}`;
    index = next;
  }
  return { text: filled, placeholders };
}

/** Names that a text for a person has: `$HOST`, `${HOST}`. */
export function variablesTold(text: string): ReadonlySet<string> {
  const names = Array.from(
    text.matchAll(/\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g),
    ([, braced, name]) => braced ?? name ?? '',
  );
  return new Set(names.filter((name) => !WELL_KNOWN.has(name) && !deniedFromSteps(name)));
}

function reference(variable: string, quote: '' | "'" | '"'): string {
  if (quote === '"') return `\${${variable}}`;
  return quote === "'" ? `'"$${variable}"'` : `"$${variable}"`;
}

/** Names that a script reads (`$HOST`, `${HOST}`) and does not bring a value for itself, as `${HOST:-…}` does. */
export function variablesRead(script: readonly string[]): ReadonlyMap<string, number> {
  const read = new Map<string, number>();
  for (const [at, line] of script.entries()) {
    if (line.trim().startsWith('#')) continue;
    for (const [, braced, after, plain] of withoutSingleQuoted(line).matchAll(
      /(?<!\\)\$(?:\{([A-Za-z_]\w*)([:=?+-]?)|([A-Za-z_]\w*))/g,
    )) {
      const name = braced ?? plain ?? '';
      if (after !== undefined && after !== '' && after !== '?') continue;
      if (!WELL_KNOWN.has(name) && !deniedFromSteps(name) && !read.has(name)) read.set(name, at);
    }
  }
  return read;
}

/** Names that a script gives a value. */
export function variablesSet(script: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of script) {
    for (const [, name = ''] of line.matchAll(/(?:^|[\s;(&|])([A-Za-z_]\w*)\+?=/g)) names.add(name);
    for (const [, name = ''] of line.matchAll(/(?:^|[\s;(&|])for[ \t]+([A-Za-z_]\w*)/g)) names.add(name);
    const read = /(?:^|[\s;(&|])(?:read|mapfile|readarray)[ \t]+([^<>|;&]*)/.exec(line)?.[1] ?? '';
    for (const word of read.split(/[ \t]+/)) if (/^[A-Za-z_]\w*$/.test(word)) names.add(word);
  }
  return names;
}

/** Good enough for one line: between the first and the second quote, the third and the fourth. */
function withoutSingleQuoted(line: string): string {
  return line.includes('"')
    ? line
    : line
        .split("'")
        .filter((_, index) => index % 2 === 0)
        .join(' ');
}
