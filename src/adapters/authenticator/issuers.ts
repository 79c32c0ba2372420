/** From plain settings to the issuers that are trusted: the default one, and those of a file. */
import { defaultAlgorithms, keySet, listOf, publicKey, secretKey } from './issuer-key.ts';
import { readIssuersFile } from './issuers-file.ts';
import { readKeysFile } from './keys-file.ts';
import { quoted, wrongSetting } from './refusal.ts';
import type { IssuerKey, ListedKey, TrustedIssuer } from './trusted-issuer.ts';

export interface AuthSettings {
  readonly jwtSecret?: string | undefined;
  /** Also one that can be guessed: only where tokens are given to whoever asks. */
  readonly anyJwtSecret?: boolean;
  /** Where it was read from: read again on request. */
  readonly jwtSecretFile?: string | undefined;
  readonly jwtSecretPrevious?: string | undefined;
  readonly jwtSecretPreviousFile?: string | undefined;
  /** What it was set as. */
  readonly jwtSecretPreviousName?: string | undefined;
  /** YAML list of keys with ids and times. */
  readonly jwtKeysFile?: string | undefined;
  /** One, or several with commas. Where nothing is said: HS256 for a secret, else what fits the key. */
  readonly jwtAlgorithm?: string | undefined;
  readonly jwtPublicKeyFile?: string | undefined;
  /** Path or URL of a JSON Web Key Set. */
  readonly jwtJwks?: string | undefined;
  readonly jwtIssuer: string;
  /** One, or several with commas. */
  readonly jwtAudience: string;
  readonly jwtRolesClaim: string;
  readonly jwtSubjectClaim: string;
  readonly jwtIssuersFile?: string | undefined;
  /** Issuers with OpenID Connect discovery; audience and claims as for the default one. */
  readonly oidcIssuers?: readonly string[] | undefined;
  /** `host` or `host:port` of key sets that may have private addresses and may use http. */
  readonly jwtPrivateHosts?: readonly string[] | undefined;
  readonly jwksStaleMs?: number | undefined;
  /** How long ago a token of any issuer may have been made; null: that is not asked. */
  readonly jwtMaxAgeMs?: number | null | undefined;
}

/** Empty where no key is set: then every token is refused. @throws RunbookError `settings` */
export function trustedIssuers(settings: AuthSettings): TrustedIssuer[] {
  const key = defaultKey(settings);
  const discovered = (settings.oidcIssuers ?? []).map((issuer): IssuerKey => ({ kind: 'oidc', issuer }));
  const others = settings.jwtIssuersFile === undefined ? [] : readIssuersFile(settings.jwtIssuersFile);
  return [
    ...(key === null ? [] : [issuerWith(key, settings, settings.jwtAlgorithm)]),
    // Where there is another key, the algorithm is said of that one: a shared secret's would shut these out.
    ...discovered.map((one) => issuerWith(one, settings, key === null ? settings.jwtAlgorithm : undefined)),
    ...others,
  ];
}

function issuerWith(key: IssuerKey, settings: AuthSettings, algorithm: string | undefined): TrustedIssuer {
  const issuer = key.kind === 'oidc' ? key.issuer : required(settings.jwtIssuer, 'RUNBOOK_JWT_ISSUER');
  const algorithms =
    algorithm === undefined || key.kind === 'listed' ? defaultAlgorithms(key, issuer) : listOf(algorithm);
  if (key.kind === 'listed' && algorithm !== undefined) checkListed(key.keys, listOf(algorithm));
  return {
    issuer,
    audience: listOf(required(settings.jwtAudience, 'RUNBOOK_JWT_AUDIENCE')),
    algorithms,
    key,
    rolesClaim: required(settings.jwtRolesClaim, 'RUNBOOK_JWT_ROLES_CLAIM'),
    subjectClaim: required(settings.jwtSubjectClaim, 'RUNBOOK_JWT_SUBJECT_CLAIM'),
    own: key.kind === 'secret' || key.kind === 'listed',
  };
}

/** Two places that say what counts must say the same. */
function checkListed(keys: readonly ListedKey[], algorithms: readonly string[]): void {
  const odd = keys.find(({ algorithm }) => !algorithms.includes(algorithm));
  if (odd === undefined) return;
  throw wrongSetting(
    `Key ${quoted(odd.kid)} has algorithm ${odd.algorithm}, which is not in RUNBOOK_JWT_ALGORITHM.`,
    'Add it there, or leave RUNBOOK_JWT_ALGORITHM out: the file says what each key is for.',
  );
}

function defaultKey(settings: AuthSettings): IssuerKey | null {
  const { jwtPublicKeyFile, jwtKeysFile, jwtJwks } = settings;
  const keys = [
    ...secretsOf(settings),
    ...(jwtPublicKeyFile === undefined ? [] : [publicKey(jwtPublicKeyFile)]),
    ...(jwtKeysFile === undefined ? [] : [{ kind: 'listed', keys: readKeysFile(jwtKeysFile) } as const]),
    ...(jwtJwks === undefined ? [] : [keySet(jwtJwks)]),
  ];
  if (keys.length > 1) {
    throw wrongSetting(
      'More than one kind of key is set for the default issuer.',
      'Set one of RUNBOOK_JWT_SECRET, RUNBOOK_JWT_KEYS_FILE, RUNBOOK_JWT_PUBLIC_KEY_FILE and RUNBOOK_JWT_JWKS; more issuers go into RUNBOOK_JWT_ISSUERS_FILE.',
    );
  }
  return keys[0] ?? null;
}

function secretsOf({ jwtSecret, jwtSecretPrevious, anyJwtSecret, ...settings }: AuthSettings): readonly IssuerKey[] {
  const name = settings.jwtSecretPreviousName ?? 'RUNBOOK_JWT_SECRET_PREVIOUS (JWT_SECRET_PREVIOUS)';
  if (jwtSecret === undefined) {
    if (jwtSecretPrevious === undefined) return [];
    throw wrongSetting(
      `${settings.jwtSecretPreviousName ?? 'RUNBOOK_JWT_SECRET_PREVIOUS'} is set without RUNBOOK_JWT_SECRET.`,
      'Set the secret that signs now as RUNBOOK_JWT_SECRET, too.',
    );
  }
  const current = secretKey(jwtSecret, 'RUNBOOK_JWT_SECRET (JWT_SECRET)', anyJwtSecret);
  // The same twice is how a deployment looks between two rotations.
  if (jwtSecretPrevious === undefined || jwtSecretPrevious === jwtSecret) return [current];
  const previous = secretKey(jwtSecretPrevious, name, anyJwtSecret);
  return [{ ...current, previous: previous.secret }];
}

function required(text: string, name: string): string {
  if (text.trim() === '') throw wrongSetting(`${name} is empty.`, 'Give it a value, or leave it out for the default.');
  return text;
}
