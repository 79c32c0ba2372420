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

/** A line of a page without its markup: emphasis, code, links. */
export function plainText(text: string): string {
  return text
    .replaceAll(/!?\[([^\][]*)\]\([^()]*\)/g, '$1')
    .replaceAll(/<([A-Za-z][\w .-]*)>/g, '$1')
    .replaceAll(/[`*]|__|~~/g, '')
    .replaceAll(/\\([[\](){}#+.!_*-])/g, '$1')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();
}

const MAX_NAME = 60;

/** What a heading or an item says, short: `2. **Drain** the node:` → `Drain the node`. Empty where nothing is left. */
export function stepName(text: string): string {
  const plain = plainText(text)
    .replace(/^(?:step[ \t]*)?\d{1,3}(?:\.\d{1,3})*[.):]?[ \t-]+(?=\S)/i, '')
    .replace(/^step[ \t]*\d{0,3}[ \t]*[:.–-][ \t]*/i, '');
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

/** `Rotate API key` → `RotateApiKey`; null where no letter is left. */
export function runbookName(title: string): string | null {
  const words = plainText(title)
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
