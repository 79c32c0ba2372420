/** Which callers count as one: by their address, or by who they are. */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Identity } from '../../core/ports.ts';

const GROUPS = 8;

/** Who has one address of IPv6 has all of its /64. */
export function rateKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  // An address of IPv4 at the end takes the place of two groups.
  const zeros = GROUPS - left.length - right.length - (plain.includes('.') ? 1 : 0);
  const groups = [...left, ...(tail === undefined ? [] : Array.from({ length: zeros }, () => '0')), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** One issuer's anna is not another's. A digest, so that whoever reads the store learns no names. */
export function callerKey({ issuer, subject }: Pick<Identity, 'issuer' | 'subject'>): string {
  return digest(JSON.stringify([issuer, subject]));
}

/** As above. */
export function addressKey(address: string): string {
  return digest(rateKey(address));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
