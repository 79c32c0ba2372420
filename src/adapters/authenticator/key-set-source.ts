/** Where a JSON Web Key Set comes from. Small, bounded, and never an address that a token names. */
import { readFile, stat } from 'node:fs/promises';
import type { Resolve } from '../network/get.ts';
import { whyNotReachable } from '../network/reach.ts';
import type { PrivateHosts } from '../network/reach.ts';

import { quoted, wrongSetting } from './refusal.ts';
import { parseStrictJson } from './strict-json.ts';

export const MAX_KEY_SET_BYTES = 100 * 1024;
/** Keys that were withdrawn must die also behind a broken disk, and soon: the file is ours. */
const FILE_STALE_MS = 15 * 60_000;
const DAY_MS = 24 * 3_600_000;

export interface KeySetSource {
  readonly name: string;
  readonly kind: 'file' | 'url';
  /** How long a set counts after it was read. */
  readonly staleMs: number;
  /** Changes when the content does; null where that cannot be told without reading it. */
  stamp(): Promise<string | null>;
  /** @throws Error whose message is the reason */
  read(): Promise<Uint8Array>;
}

export interface Network {
  /** Hosts (`host`, `host:port`) of key sets that may have private addresses and may use http; none where nothing is said. */
  readonly privateHosts?: PrivateHosts;
  /** How long keys that were fetched count while their server is away; a day where nothing is said. */
  readonly staleMs?: number;
  /** Asks for the addresses of a name; the system's way where nothing is said. */
  readonly resolve?: Resolve;
}

export function fileSource(path: string): KeySetSource {
  return {
    name: path,
    kind: 'file',
    staleMs: FILE_STALE_MS,
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

/**
 * http to this machine needs no list: the address says itself what it is. Who listens there is up to whoever may listen
 * on this machine; docs/tokens.md says so.
 * @throws RunbookError `settings` for an address that anybody on the way could answer for, or that is not listed
 */
export function urlSource(text: string, network: Network): KeySetSource {
  const url = readAddress(text, 'key set');
  const { privateHosts = [] } = network;
  const hosts = isLoopback(url.hostname) ? [...privateHosts, url.hostname] : privateHosts;
  checkReachable(url, hosts, 'key set');
  return remote(url.href, network, async () => await get(url, hosts, network));
}

/**
 * OpenID Connect Discovery 1.0, section 4. Asked anew with each reading, since an issuer may move its keys.
 * @throws RunbookError `settings`, as above
 */
export function discoverySource(issuer: string, network: Network): KeySetSource {
  if (/[?#]/.test(issuer)) {
    throw wrongSetting(`The issuer ${quoted(issuer)} has a "?" or "#".`, 'Write it as tokens have it in "iss".');
  }
  const url = readAddress(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, 'issuer');
  const { privateHosts = [] } = network;
  checkReachable(url, privateHosts, 'issuer');
  return remote(`of ${issuer}`, network, async () => {
    const document = parseStrictJson(await get(url, privateHosts, network));
    if (document['issuer'] !== issuer) throw new Error('its discovery document is of another issuer');
    const { jwks_uri: keys } = document;
    if (typeof keys !== 'string' || !URL.canParse(keys)) throw new Error('its discovery document has no jwks_uri');
    const keysUrl = new URL(keys);
    const why = whyNotReachable(keysUrl, privateHosts);
    if (why !== null) throw new Error(`of the jwks_uri in its discovery document: ${why}`);
    return await get(keysUrl, privateHosts, network);
  });
}

function remote(name: string, { staleMs = DAY_MS }: Network, read: KeySetSource['read']): KeySetSource {
  return { name, kind: 'url', staleMs, stamp: () => Promise.resolve(null), read };
}

async function get(url: URL, privateHosts: PrivateHosts, { resolve }: Network): Promise<Uint8Array> {
  const { getDocument } = await import('../network/get.ts');
  return await getDocument(url, {
    maxBytes: MAX_KEY_SET_BYTES,
    privateHosts,
    ...(resolve === undefined ? {} : { resolve }),
  });
}

function readAddress(text: string, what: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw wrongSetting(`The address of the ${what} is not a URL.`, 'Write it as https://host/path.');
}

function checkReachable(url: URL, privateHosts: PrivateHosts, what: string): void {
  const why = whyNotReachable(url, privateHosts);
  if (why === null) return;
  throw wrongSetting(
    `The address of the ${what} cannot be used: ${why}.`,
    why.includes('password')
      ? 'Keys are public: write it without one.'
      : `Use https; where it is a private host that you trust, list it: RUNBOOK_JWT_PRIVATE_HOSTS=${url.host}.`,
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
