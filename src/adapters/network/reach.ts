/**
 * Which addresses may be asked: https on the public internet, and what the operator lists by name. Otherwise whoever can
 * choose an address (a document, a DNS record) could have this machine ask its own neighbours.
 */
import { isIP } from 'node:net';

import { isPublicAddress } from './addresses.ts';

/** Hosts that may have private addresses and may use http: `host`, or `host:port`. IPv6 addresses in brackets. */
export type PrivateHosts = readonly string[];

/** Half a sentence; null where the address may be asked, as far as can be told without asking for the host's addresses. */
export function whyNotReachable(url: URL, privateHosts: PrivateHosts): string | null {
  if (url.username !== '' || url.password !== '') return 'it holds a password';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it is not https';
  if (isPrivateHost(url, privateHosts)) return null;
  if (url.protocol === 'http:') return 'it is not https';
  const host = literalOf(url);
  return isIP(host) === 0 || isPublicAddress(host) ? null : 'its address is not public';
}

/** Compared as written: `localhost.` is not `localhost`. */
export function isPrivateHost(url: URL, privateHosts: PrivateHosts): boolean {
  const port = url.port === '' ? (url.protocol === 'http:' ? '80' : '443') : url.port;
  return privateHosts.some((entry) => {
    const listed = entry.toLowerCase();
    return listed === url.hostname || listed === `${url.hostname}:${port}`;
  });
}

/** Without the brackets of IPv6. */
function literalOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
