/** Text on its way into a document: as a YAML value, as the name of a step, as the name of a runbook. */

/** Fits behind `key: ` in any block of a runbook, whatever the text holds. */
export function yamlText(text: string): string {
  // In words, and nothing that YAML, or a reader of lists, takes for more.
  return /^[A-Za-z0-9][A-Za-z0-9 ._/-]*$/.test(text) && text === text.trim() ? text : JSON.stringify(text);
}

/** As a list where it is more than one, or where one would be split. */
export function yamlTexts(texts: readonly string[]): string {
  const [only = ''] = texts;
  if (texts.length === 1 && !only.includes(',')) return yamlText(only);
  return `[${texts.map((text) => yamlText(text)).join(', ')}]`;
}

/**
 * `change` of what stands outside of code between backticks, and `ofCode` of that code, without them; null: it stays as it
 * is. Linear but for a few.
 */
export function betweenCode(
  text: string,
  change: (text: string) => string,
  ofCode: ((code: string) => string) | null,
): string {
  const runs = [...text.matchAll(/`+/g)];
  const unclosed = new Set<number>();
  let result = '';
  let from = 0;
  for (let index = 0; index < runs.length; index += 1) {
    const { 0: marker = '', index: start = 0 } = runs[index] ?? {};
    if (unclosed.has(marker.length)) continue;
    const closing = runs.findIndex((run, other) => other > index && run[0] === marker);
    const end = runs[closing]?.index;
    if (end === undefined) {
      unclosed.add(marker.length);
      continue;
    }
    const after = end + marker.length;
    const code = ofCode === null ? text.slice(start, after) : ofCode(text.slice(start + marker.length, end));
    result += change(text.slice(from, start)) + code;
    from = after;
    index = closing;
  }
  return result + change(text.slice(from));
}

/** A line of a page without its markup: emphasis, links, the marks of code. What is code stays as it is. */
export function plainText(text: string): string {
  const unlinked = text.includes('](') ? text.replaceAll(/!?\[([^\][]*)\]\([^()`]*\)/g, '$1') : text;
  return betweenCode(unlinked, withoutMarks, (code) => code.trim())
    .replaceAll(/[ \t]+/g, ' ')
    .trim();
}

function withoutMarks(text: string): string {
  return withoutAngles(text)
    .replaceAll(/[`*]|__|~~/g, '')
    .replaceAll(/\\([[\](){}#+.!_*-])/g, '$1');
}

/** `<host>` → `host`. */
export function withoutAngles(text: string): string {
  return text.replaceAll(/<([A-Za-z][\w .-]*)>/g, '$1');
}

/** A row of a table, also one that has no lines at its sides. */
export function isTableRow(text: string): boolean {
  return /^\|.*\||[^|\s][ \t]+\|[ \t]+[^|\s]/.test(text) || isTableRule(text);
}

/** What stands below its head: `|---|:-:|`. */
export function isTableRule(text: string): boolean {
  return /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/.test(text) && text.includes('|');
}

const MAX_NAME = 60;

/** What a heading or an item says, short: `2. **Drain** the node:` → `Drain the node`. Empty where nothing is left. */
export function stepName(text: string): string {
  const plain = plainText(text)
    .replace(/^(?:(?:step|schritt)[ \t]*)?\d{1,3}(?:\.\d{1,3})*[.):]?[ \t-]+(?=\S)/i, '')
    .replace(/^(?:step|schritt)[ \t]*\d{0,3}[ \t]*[:.–-][ \t]*/i, '');
  const sentence = /^(.{8,}?)[.;:!?](?: |$)/.exec(plain)?.[1] ?? plain;
  const name = sentence
    .replaceAll(/[<>{}$|#\\]/g, '')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
  if (name.length <= MAX_NAME) return name.replace(/[\s.:;,–-]+$/, '');
  const cut = name.slice(0, MAX_NAME);
  const space = cut.lastIndexOf(' ');
  return cut
    .slice(0, space > 20 ? space : MAX_NAME)
    .replace(/[\s.:;,–-]+$/, '')
    .toWellFormed();
}

/** Letters of which Unicode knows no plain ones, or not those that people write instead. */
const SPELT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ä: 'ae',
    ö: 'oe',
    ü: 'ue',
    ß: 'ss',
    æ: 'ae',
    œ: 'oe',
    ø: 'o',
    å: 'a',
    ł: 'l',
    đ: 'd',
    ð: 'd',
    þ: 'th',
    ı: 'i',
  }),
);

/** `säubern` → `saeubern`, `Übergabe` → `Uebergabe`. */
function spelt(text: string): string {
  return text.normalize('NFC').replaceAll(/[äöüßæœøåłđðþı]/giu, (letter, at: number, all: string) => {
    const plain = SPELT.get(letter.toLowerCase()) ?? letter;
    // `GRÖSSE` is all capitals.
    if (/^\p{Lu}\p{Lu}/u.test(all.slice(at, at + 2)) || /\p{Lu}\p{Lu}$/u.test(all.slice(Math.max(0, at - 1), at + 1)))
      return plain.toUpperCase();
    return letter === letter.toLowerCase() ? plain : plain.charAt(0).toUpperCase() + plain.slice(1);
  });
}

/** `Rotate API key` → `RotateApiKey`; null where no letter is left. */
export function runbookName(title: string): string | null {
  const words = spelt(plainText(title))
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f'’]/g, '')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  const name = words.map((word) => word.charAt(0).toUpperCase() + camel(word.slice(1))).join('');
  return /[A-Za-z]/.test(name) ? name.slice(0, 80) : null;
}

/** What is all capitals becomes a word: `API` → `Api`; `PostgreSQL` stays. */
function camel(rest: string): string {
  return /[a-z]/.test(rest) ? rest : rest.toLowerCase();
}

/** At most `length` characters, with `…` where something is left out. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

/** Of backticks: a fence has to be longer. */
export function longestRun(lines: readonly string[]): number {
  return Math.max(0, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
}
