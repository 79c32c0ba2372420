/**
 * Spellings of a text by what quotes it. Every function rewrites character by character, so that the spelling of a text
 * is that of its parts, one after the other; several give the same for most texts.
 */

export type Escape = (text: string) => string;

const hex = (character: string, digits: number): string => character.charCodeAt(0).toString(16).padStart(digits, '0');
const lowerDigits: Escape = (text) => text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());

const percent: Escape = (character) => `%${hex(character, 2).toUpperCase()}`;
const component: Escape = encodeURIComponent;
const strict: Escape = (text) => component(text).replaceAll(/[!'()*]/g, percent);
const plus =
  (escape: Escape): Escape =>
  (text) =>
    escape(text).replaceAll('%20', '+');

const PERCENT: readonly Escape[] = [
  component,
  strict,
  // Python leaves the slash.
  (text) => strict(text).replaceAll('%2F', '/'),
  plus(component),
  plus(strict),
  // URLSearchParams and the forms of browsers.
  (text) => plus(strict)(text).replaceAll('%2A', '*').replaceAll('~', '%7E'),
  encodeURI,
];

const BEYOND_ASCII = /[^\0-\x7f]/g;
const unicodeLower: Escape = (character) => `\\u${hex(character, 4)}`;
const unicodeUpper: Escape = (character) => `\\u${hex(character, 4).toUpperCase()}`;
const json: Escape = (text) => JSON.stringify(text).slice(1, -1);
const slashes: Escape = (text) => json(text).replaceAll('/', String.raw`\/`);

/** JSON strings as JavaScript, PHP, Go and .NET write them. */
const JSON_STRINGS: readonly Escape[] = [
  json,
  slashes,
  (text) => json(text).replaceAll(/[<>&\u2028\u2029]/g, unicodeLower),
  (text) =>
    json(text)
      .replaceAll(String.raw`\"`, '"')
      .replaceAll(/["&'+<>`]|[^\0-\x7f]/g, unicodeUpper),
];
/** As Python, PHP and Java write them. */
const JSON_IN_ASCII: readonly Escape[] = [
  (text) => json(text).replaceAll(BEYOND_ASCII, unicodeLower),
  (text) => slashes(text).replaceAll(BEYOND_ASCII, unicodeLower),
  (text) => json(text).replaceAll(BEYOND_ASCII, unicodeUpper),
];

const CONTROL_NAMES: Readonly<Record<string, string>> = {
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\v': String.raw`\v`,
  '\f': String.raw`\f`,
  '\r': String.raw`\r`,
};
const CONTROLS = /[^\P{Cc}\u0080-\u009F]/gu;
const octal: Escape = (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
const control: Escape = (character) => CONTROL_NAMES[character] ?? octal(character);
const backslashed: Escape = (character) => `\\${character}`;
const ansiC: Escape = (text) => text.replaceAll(/['\\]/g, backslashed).replaceAll(CONTROLS, control);
const bash: Escape = (text) =>
  text.replaceAll(/[ !"$&'()*,;<>?[\\\]^`{|}]/g, backslashed).replaceAll(/([:=])~/g, String.raw`$1\~`);
const zsh: Escape = (text) =>
  text.replaceAll(/[ "#$&'()*;<>?[\\\]^`{|}]/g, backslashed).replaceAll(CONTROLS, (found) => `$'${control(found)}'`);

/** Its history would expand the sign. */
const zshAnsiC: Escape = (text) => ansiC(text).replaceAll('!', backslashed);

/** As its trace of commands (`set -x`) shows what is no text. */
const zshControl: Escape = (character) =>
  /[\t\n]/.test(character) ? control(character) : `\\C-${String.fromCharCode(character.charCodeAt(0) ^ 64)}`;
const zshTrace: Escape = (text) => text.replaceAll(/['\\]/g, backslashed).replaceAll(CONTROLS, zshControl);
const zshTraceOfBytes: Escape = (latin1) =>
  zshTrace(latin1).replaceAll(BEYOND_ASCII, (character) => {
    const low = String.fromCharCode(character.charCodeAt(0) & 127);
    return `\\M-${low.replaceAll(CONTROLS, zshControl)}`;
  });

/** What stands between the quotes, or all of it where `printf %q` does without them. */
const SHELL: readonly Escape[] = [
  (text) => text.replaceAll("'", String.raw`'\''`),
  (text) => text.replaceAll("'", `'"'"'`),
  (text) => text.replaceAll(/["$`\\]/g, backslashed),
  bash,
  zsh,
  ansiC,
  (text) =>
    text
      .replaceAll(/['\\]/g, backslashed)
      .replaceAll('\u001b', String.raw`\E`)
      .replaceAll(CONTROLS, control),
  zshAnsiC,
  zshTrace,
];

const bytes: Escape = (text) => Buffer.from(text).toString('latin1');

/** Of text in which every character is one byte. */
const ANSI_C_OF_BYTES: readonly Escape[] = [
  (latin1) => ansiC(latin1).replaceAll(BEYOND_ASCII, octal),
  // Python.
  (latin1) =>
    latin1
      .replaceAll('\\', backslashed)
      .replaceAll(/[\t\n\r]/g, control)
      .replaceAll(/[^ -~]/g, (character) => `\\x${hex(character, 2)}`),
];
/** Where the locale knows no more than ASCII. */
const SHELL_IN_ASCII: readonly Escape[] = [
  (text) => bytes(zsh(text)).replaceAll(BEYOND_ASCII, (character) => `$'${octal(character)}'`),
  (text) => bytes(zshAnsiC(text)).replaceAll(BEYOND_ASCII, octal),
  (text) => zshTraceOfBytes(bytes(text)),
  ...ANSI_C_OF_BYTES.map(
    (escape): Escape =>
      (text) =>
        escape(bytes(text)),
  ),
];

const decimal: Escape = (character) => `&#${character.codePointAt(0)};`;

function markup(quotes: Readonly<Record<string, string>>): Escape {
  const rows: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', ...quotes };
  return (text) => text.replaceAll(/[&<>"']/g, (character) => rows[character] ?? character);
}

/** Text, attributes, and the ways in which libraries write the two quotes. */
const MARKUP: readonly Escape[] = [
  ...[
    {},
    { '"': '&quot;' },
    { '"': '&quot;', "'": '&apos;' },
    { '"': '&quot;', "'": '&#39;' },
    { '"': '&quot;', "'": '&#039;' },
    { '"': '&quot;', "'": '&#x27;' },
    { '"': '&#34;', "'": '&#39;' },
  ].map(markup),
  (text) => text.replaceAll(/[&<>"']/g, decimal),
];
const MARKUP_IN_ASCII: readonly Escape[] = MARKUP.map(
  (escape): Escape =>
    (text) =>
      escape(text).replaceAll(/[^\0-\x7f]/gu, decimal),
);

const ASCII_ESCAPES: readonly Escape[] = [
  (text) => text,
  ...PERCENT,
  ...PERCENT.map(
    (escape): Escape =>
      (text) =>
        lowerDigits(escape(text)),
  ),
  ...JSON_STRINGS,
  ...SHELL,
  ...ANSI_C_OF_BYTES,
  ...MARKUP,
];
const TEXT_ESCAPES: readonly Escape[] = [
  ...ASCII_ESCAPES.filter((escape) => !ANSI_C_OF_BYTES.includes(escape)),
  ...JSON_IN_ASCII,
  ...SHELL_IN_ASCII,
  ...MARKUP_IN_ASCII,
];
const percentOfBytes: Escape = (latin1) => latin1.replaceAll(/[^A-Za-z0-9\-._~]/g, percent);
/** For what is no text: every character is one byte. */
export const BYTE_ESCAPES: readonly Escape[] = [
  (latin1) => latin1,
  percentOfBytes,
  (latin1) => lowerDigits(percentOfBytes(latin1)),
  zshTraceOfBytes,
  ...ANSI_C_OF_BYTES,
];

/** The ways in which a text may be written, as it is among them; more of them where it has characters beyond ASCII. */
export function escapesOf(text: string): readonly Escape[] {
  return text.search(BEYOND_ASCII) === -1 ? ASCII_ESCAPES : TEXT_ESCAPES;
}
