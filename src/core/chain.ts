/**
 * The chain over the ledger's transitions: each hash covers the one before it, so that an edit, a deletion, a
 * re-ordering or a duplicate is found and named. A chain alone does not see that its end was cut off, nor that all of
 * it was made anew: that takes a checkpoint kept elsewhere.
 */
import { hash as hashOf } from 'node:crypto';

/** What the first transition has for `prev`. */
export const GENESIS = '0'.repeat(64);

/** One row of the chain. `record` is canonical JSON that says `seq`, `runId`, `state` and `at` once more. */
export interface ChainLink {
  /** Counts from 1 without holes. */
  readonly seq: number;
  readonly runId: string;
  readonly state: string;
  readonly at: string;
  readonly record: string;
  readonly prev: string;
  /** `chainHash(prev, record)` */
  readonly hash: string;
}

/** A link whose record was read already. */
export interface ReadLink extends ChainLink {
  /** What `JSON.parse` makes of the record; undefined where that is no JSON. */
  readonly said: unknown;
}

/**
 * JSON with one form per value, after RFC 8785: keys sorted by UTF-16 code units, no white space, numbers and strings
 * as ECMAScript writes them. Two choices of our own: a lone surrogate (a foreign token may hold one) is written as its
 * `\uXXXX` escape where the RFC stops, because a record must not be lost over it; a member that is undefined is left out.
 * @throws TypeError for what JSON cannot hold (NaN, bigint, a function, a Date, a Map, a Buffer, …)
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: unknown) => canonicalJson(item)).join(',')}]`;
  if (isPlainObject(value)) {
    let members = '';
    for (const key of Object.keys(value).sort()) {
      const member = value[key];
      if (member !== undefined)
        members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
    }
    return `{${members}}`;
  }
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

/** SHA-256, lower-case hex, over `prev`, a line feed, and the canonical record. */
export function chainHash(prev: string, record: string): string {
  return hashOf('sha256', `${prev}\n${record}`);
}

/** What can be wrong with a link, seen from the one before it. */
export type LinkFault = 'missing' | 'out-of-order' | 'unchained' | 'edited' | 'columns';

/** Whether a link stands where it belongs: its number, and what it is chained to. */
export function placeFault(link: ChainLink, before: Pick<ChainLink, 'seq' | 'hash'>): LinkFault | null {
  if (link.seq !== before.seq + 1) return link.seq > before.seq ? 'missing' : 'out-of-order';
  if (link.prev === before.hash) return null;
  // With the right `prev` its hash fits: only that column was changed.
  return link.hash === chainHash(before.hash, link.record) ? 'edited' : 'unchained';
}

/** Whether a link says what was hashed. The columns beside the record are for queries; they must not tell another story. */
export function textFault(link: ChainLink | ReadLink): LinkFault | null {
  if (link.hash !== chainHash(link.prev, link.record)) return 'edited';
  return saysTheSame(link, 'said' in link ? link.said : parsed(link.record)) ? null : 'columns';
}

/**
 * The first place where a chain does not hold of which nothing was taken out, as the `seq` that should stand there; null for
 * a whole one. `after` is the last link that is already trusted (default: the genesis).
 */
export function verifyChain(
  links: Iterable<ChainLink>,
  after: Pick<ChainLink, 'seq' | 'hash'> = { seq: 0, hash: GENESIS },
): number | null {
  let before = after;
  for (const link of links) {
    if (placeFault(link, before) !== null || textFault(link) !== null) return before.seq + 1;
    before = link;
  }
  return null;
}

function saysTheSame({ seq, runId, state, at }: ChainLink, said: unknown): boolean {
  return (
    isPlainObject(said) &&
    said['seq'] === seq &&
    said['runId'] === runId &&
    said['state'] === state &&
    said['at'] === at
  );
}

/** What a record says; undefined where it is no JSON. */
export function parsed(record: string): unknown {
  try {
    return JSON.parse(record);
  } catch {
    return undefined;
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
