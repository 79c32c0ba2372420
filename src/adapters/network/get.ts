/** Fetching a small document. A module of its own, so that the HTTP client is loaded only when there is one to fetch. */
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupAddress, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, request } from 'undici';

import { isPublicAddress } from './addresses.ts';
import { isPrivateHost, whyNotReachable } from './reach.ts';
import type { PrivateHosts } from './reach.ts';

const TIMEOUT_MS = 2000;

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface GetOptions {
  readonly maxBytes: number;
  readonly privateHosts: PrivateHosts;
  /** Other than the system's. */
  readonly resolve?: Resolve;
  /** From the question for the address to the last byte; 2 s where nothing is said. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Of a host that is not listed as private every address has to be public, and one of just these is connected to. An agent
 * of its own: no redirects, no proxy of the environment, no idle socket that keeps a command alive, and certificates are
 * checked whatever the environment says.
 * @throws Error whose message is the reason
 */
export async function getDocument(
  url: URL,
  { maxBytes, privateHosts, resolve = all, timeoutMs = TIMEOUT_MS, headers = {} }: GetOptions,
): Promise<Uint8Array> {
  const why = whyNotReachable(url, privateHosts);
  if (why !== null) throw new Error(why);
  const agent = new Agent({
    connect: {
      timeout: timeoutMs,
      rejectUnauthorized: true,
      // Then the lookup below is asked for all addresses, which is what it gives.
      autoSelectFamily: true,
      lookup: lookupFor(resolve, isPrivateHost(url, privateHosts)),
    },
    maxResponseSize: maxBytes,
  });
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json', ...headers },
    });
    if (statusCode !== 200) {
      // Its content is of no interest; destroying the agent ends it.
      body.on('error', () => undefined);
      throw new Error(
        `it answered ${statusCode}${statusCode >= 300 && statusCode < 400 ? ', and redirects are not followed' : ''}`,
      );
    }
    return await body.bytes();
  } finally {
    await agent.destroy();
  }
}

const all: Resolve = async (hostname) => await systemLookup(hostname, { all: true });

/** The addresses that were looked at are those that are connected to: nobody asks for the name a second time. */
function lookupFor(resolve: Resolve, mayBePrivate: boolean): LookupFunction {
  return callbackify(async (hostname: string, _options: LookupOptions): Promise<LookupAddress[]> => {
    const addresses = await resolve(hostname);
    if (addresses.length === 0) throw new Error('its host has no address');
    if (!mayBePrivate && !addresses.every(({ address }) => isPublicAddress(address)))
      throw new Error('an address of its host is not public');
    return [...addresses];
  });
}
