/** The issuers that are trusted, each with its keys, and how often each key was used. */
import { RunbookError } from '../../core/errors.ts';

import { keySource } from './key-source.ts';
import type { Network } from './key-set-source.ts';
import { quoted, wrongSetting } from './refusal.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';
import type { KeySource, SourceState, VerificationKey } from './verification-key.ts';

/** One key, for readiness and metrics. */
export interface KeyState extends SourceState {
  readonly issuer: string | null;
  /** As in `Identity`; null where no key is known (a key set that could not be fetched yet, or is empty). */
  readonly keyId: string | null;
  /** Tokens that were accepted under it since the start. It follows the key, whatever the key is called. */
  readonly uses: number;
  readonly lastUsedAt: Date | null;
}

export interface Trusted {
  readonly issuer: TrustedIssuer;
  readonly keys: KeySource;
}

export interface Trust {
  readonly names: readonly (string | null)[];
  of(issuer: string | null): Trusted | undefined;
  /** A token was accepted. */
  used(issuer: TrustedIssuer, key: VerificationKey, at: Date): void;
  states(): readonly KeyState[];
  /** @throws RunbookError `unavailable` where no issuer has any key to verify with */
  ready(): Promise<void>;
  /** Others take their place at once, or none. @throws RunbookError `settings`; then nothing has changed */
  replace(issuers: readonly TrustedIssuer[]): Promise<void>;
}

type ByName = ReadonlyMap<string | null, Trusted>;

/** @throws RunbookError `settings` for issuers that cannot be trusted as they are written */
export function createTrust(issuers: readonly TrustedIssuer[], now: () => Date, network: Network): Trust {
  let trusted = byName(issuers, null);
  const tally = new Map<string, { uses: number; lastUsedAt: Date }>();
  const tallyKey = (issuer: string | null, { print }: VerificationKey): string => JSON.stringify([issuer, print]);

  function byName(wanted: readonly TrustedIssuer[], known: ByName | null): ByName {
    const result = new Map<string | null, Trusted>();
    for (const issuer of wanted) {
      if (result.has(issuer.issuer)) throw wrongSetting(`Issuer ${quoted(issuer.issuer)} is given twice.`, 'Keep one.');
      if (issuer.audience.length === 0) {
        throw wrongSetting(`Issuer ${quoted(issuer.issuer)} has no audience.`, 'Say for whom its tokens are made.');
      }
      const before = known?.get(issuer.issuer);
      // What was fetched stays: its server may be away right now.
      const keys =
        before !== undefined && fetchesSame(before.issuer, issuer) ? before.keys : keySource(issuer, now, network);
      result.set(issuer.issuer, { issuer, keys });
    }
    return result;
  }

  function stateOf({ issuer }: TrustedIssuer, { key, ...state }: ReturnType<KeySource['keys']>[number]): KeyState {
    const use = key === null ? undefined : tally.get(tallyKey(issuer, key));
    return { issuer, keyId: key?.name ?? null, uses: 0, lastUsedAt: null, ...use, ...state };
  }

  return {
    get names() {
      return [...trusted.keys()];
    },
    of: (issuer) => trusted.get(issuer),
    used: ({ issuer }, key, at) => {
      const name = tallyKey(issuer, key);
      tally.set(name, { uses: (tally.get(name)?.uses ?? 0) + 1, lastUsedAt: at });
    },
    states: () => [...trusted.values()].flatMap(({ issuer, keys }) => keys.keys().map((row) => stateOf(issuer, row))),
    ready: async () => {
      const results = await Promise.allSettled([...trusted.values()].map(async ({ keys }) => await keys.ready()));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined && results.every(({ status }) => status === 'rejected')) throw failed.reason;
    },
    replace: async (wanted) => {
      const next = byName(wanted, trusted);
      const problems = await Promise.all(
        [...next.values()].map(async ({ issuer, keys }) => [issuer, await keys.reread()] as const),
      );
      // A server that is away says nothing about the settings; a file that cannot be read does.
      const broken = problems.find(([{ key }, problem]) => key.kind === 'jwks-file' && problem !== null);
      if (broken !== undefined) {
        throw new RunbookError('settings', broken[1] ?? '', {
          fix: 'Correct the file; the keys from before still count.',
        });
      }
      trusted = next;
    },
  };
}

const FETCHED: ReadonlySet<string> = new Set(['jwks-file', 'jwks-url', 'oidc']);

function fetchesSame(before: TrustedIssuer, after: TrustedIssuer): boolean {
  const text = ({ key, algorithms }: TrustedIssuer): string => JSON.stringify([key, algorithms]);
  return FETCHED.has(before.key.kind) && FETCHED.has(after.key.kind) && text(before) === text(after);
}
