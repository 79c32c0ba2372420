/** Spellings of a text by what quotes it. Each function gives every spelling that is in use, with duplicates. */

type Rewrite = (text: string) => string;

const code = (character: string): number => character.charCodeAt(0);
const hex = (character: string, digits: number): string => code(character).toString(16).padStart(digits, '0');

/** Rewrites by a table of characters. */
function table(rows: Readonly<Record<string, string>>): Rewrite {
  const keys = new RegExp(
    `[${Object.keys(rows)
      .join('')
      .replaceAll(/[\]\\^-]/g, String.raw`\$&`)}]`,
    'g',
  );
  return (text) => text.replaceAll(keys, (character) => rows[character] ?? character);
}

const percent: Rewrite = (text) => `%${hex(text, 2).toUpperCase()}`;

/** encodeURIComponent, RFC 3986, Python with `/` kept, forms with `+`, a whole address; digits in both cases. */
export function percentForms(text: string): string[] {
  const component = encodeURIComponent(text);
  const strict = component.replaceAll(/[!'()*]/g, percent);
  const plus = (encoded: string): string => encoded.replaceAll('%20', '+');
  const upper = [
    component,
    strict,
    strict.replaceAll('%2F', '/'),
    plus(component),
    plus(strict),
    // URLSearchParams and the forms of browsers.
    plus(strict).replaceAll('%2A', '*').replaceAll('~', '%7E'),
    encodeURI(text),
  ];
  return [...upper, ...upper.map((form) => form.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()))];
}

/** Of bytes that are no text. */
export function percentFormsOfBytes(secret: Buffer): string[] {
  const form = secret.toString('latin1').replaceAll(/[^A-Za-z0-9\-._~]/g, percent);
  return [form, form.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())];
}

const unicodeLower: Rewrite = (character) => `\\u${hex(character, 4)}`;
const unicodeUpper: Rewrite = (character) => `\\u${hex(character, 4).toUpperCase()}`;
const BEYOND_ASCII = /[^\0-\x7f]/g;

/** JSON strings as JavaScript, Python, PHP, Go, Java and .NET write them. */
export function jsonForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const slashes = json.replaceAll('/', String.raw`\/`);
  return [
    json,
    slashes,
    json.replaceAll(BEYOND_ASCII, unicodeLower),
    slashes.replaceAll(BEYOND_ASCII, unicodeLower),
    json.replaceAll(BEYOND_ASCII, unicodeUpper),
    json.replaceAll(/[<>&\u2028\u2029]/g, unicodeLower),
    json.replaceAll(String.raw`\"`, '"').replaceAll(/["&'+<>`]|[^\0-\x7f]/g, unicodeUpper),
  ];
}

const doubleQuoted = table({ '"': String.raw`\"`, $: String.raw`\$`, '`': '\\`', '\\': String.raw`\\` });
const bashBackslashes: Rewrite = (text) =>
  text.replaceAll(/[ !"$&'()*,;<>?[\\\]^`{|}]/g, String.raw`\$&`).replaceAll(/([:=])~/g, String.raw`$1\~`);
const CONTROL_NAMES: Readonly<Record<string, string>> = {
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\v': String.raw`\v`,
  '\f': String.raw`\f`,
  '\r': String.raw`\r`,
};
const octal: Rewrite = (character) => `\\${code(character).toString(8).padStart(3, '0')}`;
const control: Rewrite = (character) => CONTROL_NAMES[character] ?? octal(character);
const CONTROLS = /[^\P{Cc}\u0080-\u009F]/gu;
const zshBackslashes: Rewrite = (text) =>
  text
    .replaceAll(/[ "#$&'()*;<>?[\\\]^`{|}]/g, String.raw`\$&`)
    .replaceAll(CONTROLS, (character) => `$'${control(character)}'`);
const ansiC: Rewrite = (text) => text.replaceAll(/['\\]/g, String.raw`\$&`).replaceAll(CONTROLS, control);
/** As bytes that are written in octal or in hex, where the locale knows no more than ASCII. */
const bytewise = (text: string, escape: Rewrite): string =>
  Buffer.from(text).toString('latin1').replaceAll(BEYOND_ASCII, escape);

/** What stands between the quotes, or all of it where backslashes do without them. */
export function shellForms(text: string): string[] {
  return [
    text.replaceAll("'", String.raw`'\''`),
    text.replaceAll("'", `'"'"'`),
    doubleQuoted(text),
    bashBackslashes(text),
    zshBackslashes(text),
    bytewise(zshBackslashes(text), (character) => `$'${octal(character)}'`),
    ansiC(text),
    ansiC(text)
      .replaceAll('\u001b', String.raw`\E`)
      .replaceAll(String.raw`\033`, String.raw`\E`),
    ansiC(text).replaceAll('!', String.raw`\!`),
    ...ansiFormsOfBytes(Buffer.from(text)),
  ];
}

/** `$'…'` with octal, and what Python shows of bytes. */
export function ansiFormsOfBytes(secret: Buffer): string[] {
  const text = secret.toString('latin1');
  const named = text.replaceAll(/[\\]/g, String.raw`\\`).replaceAll(/[\t\n\r]/g, control);
  return [
    ansiC(text).replaceAll(BEYOND_ASCII, octal),
    named.replaceAll(/[^ -~]/g, (character) => `\\x${hex(character, 2)}`),
  ];
}

const decimal: Rewrite = (character) => `&#${character.codePointAt(0)};`;
const NAMED = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Text, attributes, and the ways in which libraries write the two quotes. */
export function markupForms(text: string): string[] {
  const quotes: readonly Readonly<Record<string, string>>[] = [
    {},
    { '"': '&quot;' },
    { '"': '&quot;', "'": '&apos;' },
    { '"': '&quot;', "'": '&#39;' },
    { '"': '&quot;', "'": '&#039;' },
    { '"': '&quot;', "'": '&#x27;' },
    { '"': '&#34;', "'": '&#39;' },
  ];
  const named = quotes.map((rows) => table({ ...NAMED, ...rows })(text));
  const numbered = [...named.slice(0, 4), text.replaceAll(/[&<>"']/g, decimal)];
  return [...named, ...numbered.map((form) => form.replaceAll(/[^\0-\x7f]/gu, decimal)), ...numbered];
}
