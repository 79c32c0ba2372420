/**
 * What a secret looks like once a tool has printed it, made by other means than the masker's own list: by the platform's
 * encoders, and by loops over characters that are written here. Nothing of `src/` is imported.
 */

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class Chance {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  /** Whole number in [from, to]. */
  number(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  of<T>(items: ArrayLike<T>): T {
    return items[this.number(0, items.length - 1)] as T;
  }

  text(characters: readonly string[], length: number): string {
    return Array.from({ length }, () => this.of(characters)).join('');
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.number(0, 255)));
  }

  base64(bytes: number): string {
    return this.bytes(bytes).toString('base64');
  }
}

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789');
const punctuation = Array.from('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ ');
const beyond = Array.from('äöüßéèñçøåžłЖдИ漢字かな😀🔑€§');

const wrap = (text: string, width: number, end: string): string =>
  Array.from({ length: Math.ceil(text.length / width) }, (_, line) =>
    text.slice(line * width, (line + 1) * width),
  ).join(end);

export const pem = (chance: Chance, lines: number): string =>
  `-----BEGIN RSA PRIVATE KEY-----\n${wrap(chance.base64(48 * (lines - 2)), 64, '\n')}\n-----END RSA PRIVATE KEY-----`;

/** Secrets of at least 12 characters. */
export const SECRETS: Readonly<Record<string, (chance: Chance) => string>> = {
  letters: (chance) => chance.text(letters, chance.number(12, 40)),
  punctuation: (chance) =>
    chance.text([...letters, ...punctuation, ...punctuation], chance.number(12, 40)).trim() + 'x7Kq0aZ9-Lm2',
  'UTF-8': (chance) => chance.text([...letters, ...beyond], chance.number(12, 30)),
  JSON: (chance) =>
    JSON.stringify({ "the 'key'": chance.text([...letters, '"', '\\', '/'], 16), id: chance.text(letters, 12) }),
  CRLF: (chance) =>
    Array.from({ length: 4 }, () => chance.text([...letters, ' ', '&'], chance.number(2, 30))).join('\r\n'),
  indented: (chance) =>
    `  ${chance.text(letters, 14)}:\n    - ${chance.text([...letters, ...beyond], 9)}\n  -\n    ${chance.text(letters, 3)}`,
};

/** What is printed: `text` stands in it once, with up to `edges` characters of it that others share. */
export interface Printed {
  readonly text: string;
  readonly before: string;
  readonly after: string;
}
export type Printer = (secret: string, chance: Chance) => Printed;

const alone =
  (print: (secret: string) => string): Printer =>
  (secret) => ({ text: print(secret), before: '', after: '' });

/** A loop over code points, for what has no encoder in the platform. */
const each = (print: (character: string) => string): Printer => alone((secret) => Array.from(secret, print).join(''));

function base64(variant: 'base64' | 'base64url', line?: { readonly width: number; readonly end: string }): Printer {
  return (secret, chance) => {
    const before = chance.bytes(chance.number(0, 80));
    const bytes = Buffer.from(secret);
    // Not a line end, which would be taken for that of the secret and masked with it.
    const after = chance.bytes(chance.of([0, 0, 1, 2, 3, 40])).map((byte) => (byte === 10 ? 11 : byte));
    const all = Buffer.concat([before, bytes, after]).toString(variant);
    // Only what holds nothing but bits of the secret: a shared character may remain on either side.
    const from = Math.ceil((before.length * 8) / 6);
    const to = after.length === 0 ? all.length : Math.floor(((before.length + bytes.length) * 8) / 6);
    if (line === undefined) return { before: all.slice(0, from), text: all.slice(from, to), after: all.slice(to) };
    // A line ends where the whole says it does.
    const at = (index: number): number => index + Math.floor(index / line.width) * line.end.length;
    const wrapped = wrap(all, line.width, line.end);
    return {
      before: wrapped.slice(0, at(from)),
      text: wrapped.slice(at(from), at(to - 1) + 1),
      after: wrapped.slice(at(to - 1) + 1),
    };
  };
}

const hex = (secret: string): string => Buffer.from(secret).toString('hex');
const unicode = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
const jsonCharacter = (character: string): string => JSON.stringify(character).slice(1, -1);
const isAscii = (character: string): boolean => character.charCodeAt(0) < 128;
const NAMES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const C_NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const lowerPercent = (text: string): string =>
  text
    .split('%')
    .map((part, index) => (index === 0 ? part : `${part.slice(0, 2).toLowerCase()}${part.slice(2)}`))
    .join('%');

export const PRINTERS: Readonly<Record<string, Printer>> = {
  plain: alone((secret) => secret),
  base64: base64('base64'),
  base64url: base64('base64url'),
  'base64 in lines of 76': base64('base64', { width: 76, end: '\n' }),
  'base64 in lines of 64, CRLF': base64('base64', { width: 64, end: '\r\n' }),
  'base64url in lines of 19': base64('base64url', { width: 19, end: '\n' }),
  hex: alone(hex),
  HEX: alone((secret) => hex(secret).toUpperCase()),
  'hex in lines of 60': alone((secret) => wrap(hex(secret), 60, '\n')),
  'HEX in lines of 7, CRLF': alone((secret) => wrap(hex(secret).toUpperCase(), 7, '\r\n')),
  URI: alone(encodeURIComponent),
  'URI in lower case': alone((secret) => lowerPercent(encodeURIComponent(secret))),
  'RFC 3986': each((character) =>
    "!'()*".includes(character) ? `%${hex(character).toUpperCase()}` : encodeURIComponent(character),
  ),
  form: alone((secret) => new URLSearchParams([['', secret]]).toString().slice(1)),
  'form of Python': each((character) =>
    character === ' '
      ? '+'
      : "!'()*".includes(character)
        ? `%${hex(character).toUpperCase()}`
        : encodeURIComponent(character),
  ),
  JSON: alone((secret) => JSON.stringify(secret).slice(1, -1)),
  'JSON with \\/': each((character) => (character === '/' ? '\\/' : jsonCharacter(character))),
  'JSON in ASCII': each((character) => (isAscii(character) ? jsonCharacter(character) : unicode(character))),
  'JSON of PHP': each((character) =>
    character === '/' ? '\\/' : isAscii(character) ? jsonCharacter(character) : unicode(character),
  ),
  "shell '…'": alone((secret) => secret.split("'").join("'\\''")),
  "shell '…' with \"'\"": alone((secret) => secret.split("'").join("'\"'\"'")),
  'shell "…"': each((character) => ('"$`\\'.includes(character) ? `\\${character}` : character)),
  "shell $'…'": each((character) => C_NAMES[character] ?? ("'\\".includes(character) ? `\\${character}` : character)),
  XML: each((character) => NAMES[character] ?? character),
  'XML, text': each((character) => ('&<>'.includes(character) ? (NAMES[character] ?? '') : character)),
  'HTML with &#39;': each((character) => (character === "'" ? '&#39;' : (NAMES[character] ?? character))),
  'XML in numbers': each((character) => (character in NAMES ? `&#${character.codePointAt(0)};` : character)),
  'CRLF instead of LF': alone((secret) => secret.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')),
  'LF instead of CRLF': alone((secret) => secret.replaceAll('\r\n', '\n')),
};

/** Text around secrets; it begins and ends with what no encoding uses, and holds bytes that are no text as well. */
export function filler(chance: Chance): Buffer {
  const parts = Array.from({ length: chance.number(0, 5) }, () =>
    chance.of([
      () => Buffer.from('the quick brown fox '),
      () => Buffer.from(`${chance.number(0, 1e9)} ms\r\n`),
      () => Buffer.from(chance.base64(chance.number(1, 40))),
      () => Buffer.from(chance.bytes(9).toString('hex')),
      () => chance.bytes(chance.number(1, 12)),
      () => Buffer.from([0, 0xff, 0xc3, 10]),
      () => Buffer.from('key="%2F\\u00e9&amp;\' '),
    ])(),
  );
  return Buffer.concat([Buffer.from([7]), ...parts, Buffer.from([7])]);
}

/** Whether any `width` characters in a row of `text` are in `output`, but those that are in `around` by chance. */
export function survives(text: Buffer, output: Buffer, width: number, around: readonly Buffer[]): boolean {
  const wanted = text.toString('latin1');
  const there = output.toString('latin1');
  const others = around.map((bytes) => bytes.toString('latin1'));
  for (let at = 0; at + width <= there.length; at += 1) {
    const window = there.slice(at, at + width);
    if (wanted.includes(window) && !others.some((other) => other.includes(window))) return true;
  }
  return false;
}

export type Chunking = 'bytes' | 'small' | 'large' | 'whole';

export function chunksOf(document: Buffer, chunking: Chunking, chance: Chance): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < document.length;) {
    const length = { bytes: 1, small: chance.number(1, 7), large: chance.number(1, 4096), whole: document.length }[
      chunking
    ];
    chunks.push(document.subarray(at, at + length));
    at += length;
  }
  return chunks;
}
