/** A key as it is tried on a token. */
import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { TokenHeader } from './token-form.ts';
import type { GivenKey } from './trusted-issuer.ts';

export interface VerificationKey {
  /** For records and metrics: `current`, `previous`, its id, or where it has none the beginning of its `print`. */
  readonly name: string;
  readonly key: KeyObject | Uint8Array;
  /** It verifies nothing else. */
  readonly algorithms: readonly string[];
  readonly isSecret: boolean;
  /** Same key, same text. Of a secret it stays in memory. */
  readonly print: string;
}

/** Where an issuer's keys come from, and how they are. */
export interface SourceState {
  readonly source: 'secret' | 'file' | 'url';
  /** Of keys that are fetched: the last time that it worked. */
  readonly fetchedAt: Date | null;
  /** They could not be fetched again when they should have been, and count for the time being. */
  readonly stale: boolean;
  /** One sentence; null where all is well. */
  readonly problem: string | null;
}

export interface KeySource {
  /**
   * The keys that may have signed the token, in the order in which they are tried; never empty.
   * @throws RunbookError `unauthenticated` (none fits), `unavailable` (nobody knows)
   */
  candidates(header: TokenHeader): Promise<readonly VerificationKey[]>;
  /** Those that are known now, without asking anybody. */
  keys(): readonly (SourceState & { readonly key: VerificationKey | null })[];
  /** Sees to it that there are keys. @throws RunbookError `unavailable` */
  ready(): Promise<void>;
  /** Reads them again, however short ago that was. @returns why that did not work; null where it did */
  reread(): Promise<string | null>;
}

export function keyPrint(key: GivenKey): string {
  return key.kind === 'secret' ? printOf(key.secret) : publicKeyPrint(createPublicKey(key.pem));
}

export function publicKeyPrint(key: KeyObject): string {
  return printOf(key.export({ type: 'spki', format: 'der' }));
}

export function printOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
