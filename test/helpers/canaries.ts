/**
 * Secrets that are there once in the world, and the search for them. Nothing of the masker is used here: neither its list
 * of forms nor how it cuts what is long.
 */
import { randomBytes } from 'node:crypto';

/** So many bytes in a row of any form of a canary are a hit. */
const WINDOW = 12;

const letters = (count: number): string =>
  randomBytes(2 * count)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, count);

const inLines = (text: string, width: number): string => text.replaceAll(new RegExp(`.{${width}}(?=.)`, 'g'), '$&\n');

/** As an environment has them; each call makes others. */
export function makeCanaries() {
  const password = `p%40ss%2F${letters(16)}`;
  return {
    PLAIN_TOKEN: letters(24),
    SIGNS_PASSWORD: `p@ss w%rd+/=&"'${letters(8)}`,
    JSON_SECRET: JSON.stringify({ id: letters(14), key: `${letters(6)}"\\/'${letters(6)}` }),
    PEM_KEY: `-----BEGIN ${letters(8)} KEY-----\n${inLines(letters(26 * 64), 64)}\n-----END ${letters(8)} KEY-----`,
    UTF8_SECRET: `Schlüssel→${letters(8)}ß漢字🔑${letters(8)}é`,
    LONG_SECRET: letters(9 * 1024),
    DB_URL: `postgres://app:${password}@db-1,db-2:5432/shop`,
    JWT_SECRET: letters(48),
    /** Told by the script in `$RUNBOOK_MASK`; it finds it backwards in its environment. */
    TOLD: letters(30),
  };
}
export type Canaries = ReturnType<typeof makeCanaries>;

/** What nobody may see of a value: of an address only the password. */
function secretsOf(value: string): readonly string[] {
  const password = /:\/\/[^:]+:([^@]+)@/.exec(value)?.[1];
  return password === undefined ? [value] : [password, decodeURIComponent(password)];
}

/** As tools print it: whole lines of text, so that what is cut or wrapped is found by its windows. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    json,
    json.replaceAll('/', String.raw`\/`),
    json.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    secret.replaceAll("'", String.raw`'\''`),
    secret.replaceAll(/[ "&'+=%\\/{}:,]/g, String.raw`\$&`),
    secret.replaceAll(/[ "&'\\{},]/g, String.raw`\$&`),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => {
      const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
      // The characters that hold nothing but bits of the secret.
      const [from, to] = [Math.ceil((offset * 8) / 6), Math.floor((shifted.length * 8) / 6)];
      return (['base64', 'base64url'] as const).map((form) => shifted.toString(form).slice(from, to));
    }),
  ];
}

export interface Needles {
  /** @returns what of which canary is there: `PLAIN_TOKEN: “…”`, one for each canary */
  readonly find: (haystack: Buffer | string) => readonly string[];
}

export function needlesFor(values: Readonly<Record<string, string>>): Needles {
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(values)) {
    const forms = secretsOf(value).flatMap(formsOf);
    for (const text of new Set(forms.flatMap((form) => [form, withoutLines(form)]))) {
      const bytes = Buffer.from(text).toString('latin1');
      if (bytes.length < WINDOW) throw new Error(`${name} is too short to be looked for`);
      for (let at = 0; at + WINDOW <= bytes.length; at += 1) names.set(bytes.slice(at, at + WINDOW), name);
    }
  }
  return {
    find: (haystack) => {
      const text = Buffer.from(haystack).toString('latin1');
      const found = new Map<string, string>();
      for (const view of new Set([text, withoutLines(text)])) {
        for (let at = 0; at + WINDOW <= view.length; at += 1) {
          const name = names.get(view.slice(at, at + WINDOW));
          if (name !== undefined) found.set(name, `${name}: “${view.slice(at, at + WINDOW)}”`);
        }
      }
      return [...found.values()];
    },
  };
}

/** What wraps lines does so in its own way; entries of documents indent them as well. */
function withoutLines(text: string): string {
  return text.replaceAll(/\r*\n(?: {4})?/g, '');
}

/**
 * Prints variables plainly and in every form, on both streams: whole, in two writes, byte by byte.
 * `node leak.cjs NAME…`; on stdout alone with `LEAK_STDOUT=1`.
 */
export const LEAK = String.raw`const fs = require('fs');
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const put = (fd, data) => {
  for (let bytes = Buffer.from(data), at = 0; at < bytes.length; ) {
    try { at += fs.writeSync(fd, bytes, at); } catch (error) { if (error.code !== 'EAGAIN') throw error; pause(1); }
  }
};
for (const fd of [1, 2]) for (const name of process.argv.slice(2)) {
  const value = process.env[name];
  if (value === undefined) throw new Error('no ' + name);
  const bytes = Buffer.from(value);
  const base64 = bytes.toString('base64');
  for (const text of [value, base64, base64.replace(/.{76}/g, '$&\n'), base64.replace(/.{64}/g, '$&\r\n'), bytes.toString('base64url'),
    Buffer.from('x' + value + 'x').toString('base64'), Buffer.from('xx' + value).toString('base64'),
    bytes.toString('hex'), bytes.toString('hex').toUpperCase(), encodeURIComponent(value), JSON.stringify({ value }),
    new URLSearchParams({ value }).toString()]) put(fd, name + ' ' + text + '\n');
  const half = bytes.length >> 1;
  put(fd, bytes.subarray(0, half)); pause(10); put(fd, bytes.subarray(half)); put(fd, '\n');
  if (bytes.length < 3000) for (const byte of bytes) put(fd, [byte]);
  put(fd, '\nsaid ' + name + '\n');
}
`;
