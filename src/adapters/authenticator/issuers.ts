/** From plain settings to the issuers that are trusted: the default one, and those of a file. */
import { defaultAlgorithms, keySet, listOf, publicKey, secretKey } from './issuer-key.ts';
import { readIssuersFile } from './issuers-file.ts';
import { wrongSetting } from './refusal.ts';
import type { IssuerKey, TrustedIssuer } from './trusted-issuer.ts';

export interface AuthSettings {
  readonly jwtSecret?: string | undefined;
  /** Also one that can be guessed: only where tokens are given to whoever asks. */
  readonly anyJwtSecret?: boolean;
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
}

/** Empty where no key is set: then every token is refused. @throws RunbookError `settings` */
export function trustedIssuers(settings: AuthSettings): TrustedIssuer[] {
  const key = defaultKey(settings);
  const others = settings.jwtIssuersFile === undefined ? [] : readIssuersFile(settings.jwtIssuersFile);
  if (key === null) return others;
  const issuer = required(settings.jwtIssuer, 'RUNBOOK_JWT_ISSUER');
  const own: TrustedIssuer = {
    issuer,
    audience: listOf(required(settings.jwtAudience, 'RUNBOOK_JWT_AUDIENCE')),
    algorithms: settings.jwtAlgorithm === undefined ? defaultAlgorithms(key, issuer) : listOf(settings.jwtAlgorithm),
    key,
    rolesClaim: required(settings.jwtRolesClaim, 'RUNBOOK_JWT_ROLES_CLAIM'),
    subjectClaim: required(settings.jwtSubjectClaim, 'RUNBOOK_JWT_SUBJECT_CLAIM'),
    own: key.kind === 'secret',
  };
  return [own, ...others];
}

function defaultKey({ jwtSecret, anyJwtSecret, jwtPublicKeyFile, jwtJwks }: AuthSettings): IssuerKey | null {
  const keys: IssuerKey[] = [];
  if (jwtSecret !== undefined) keys.push(secretKey(jwtSecret, 'RUNBOOK_JWT_SECRET (JWT_SECRET)', anyJwtSecret));
  if (jwtPublicKeyFile !== undefined) keys.push(publicKey(jwtPublicKeyFile));
  if (jwtJwks !== undefined) keys.push(keySet(jwtJwks));
  if (keys.length > 1) {
    throw wrongSetting(
      'More than one kind of key is set for the default issuer.',
      'Set one of RUNBOOK_JWT_SECRET, RUNBOOK_JWT_PUBLIC_KEY_FILE and RUNBOOK_JWT_JWKS; more issuers go into RUNBOOK_JWT_ISSUERS_FILE.',
    );
  }
  return keys[0] ?? null;
}

function required(text: string, name: string): string {
  if (text.trim() === '') throw wrongSetting(`${name} is empty.`, 'Give it a value, or leave it out for the default.');
  return text;
}
