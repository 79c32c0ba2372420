/** Where a JSON Web Key Set comes from. Small, bounded, and never an address that a token names. */
import { readFile, stat } from 'node:fs/promises';

import { wrongSetting } from './refusal.ts';

export const MAX_KEY_SET_BYTES = 100 * 1024;

export interface KeySetSource {
  readonly name: string;
  /** Changes when the content does; null where that cannot be told without reading it. */
  stamp(): Promise<string | null>;
  /** @throws Error whose message is the reason */
  read(): Promise<Uint8Array>;
}

export function fileSource(path: string): KeySetSource {
  return {
    name: path,
    async stamp() {
      const facts = await stat(path, { bigint: true }).catch(() => null);
      return facts === null ? 'missing' : `${facts.ino} ${facts.size} ${facts.mtimeNs}`;
    },
    async read() {
      const facts = await stat(path);
      if (!facts.isFile()) throw new Error('it is not a file');
      if (facts.size > MAX_KEY_SET_BYTES) throw new Error(`it is larger than ${MAX_KEY_SET_BYTES} bytes`);
      return readFile(path);
    },
  };
}

/** @throws RunbookError `settings` for an address that anybody on the way could answer for */
export function urlSource(text: string): KeySetSource {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw wrongSetting('The address of the key set is not a URL.', 'Write it as https://host/path.');
  if (url.username !== '' || url.password !== '') {
    throw wrongSetting('The address of the key set holds a password.', 'Key sets are public: write it without one.');
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw wrongSetting('The address of the key set is not https.', 'Use https; http is for this machine only.');
  }
  return {
    name: url.href,
    stamp: () => Promise.resolve(null),
    read: async () => (await import('./key-set-fetch.ts')).fetchKeySet(url, MAX_KEY_SET_BYTES),
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
