/**
 * Verifies JSON Web Tokens of trusted issuers. Order: form, issuer, type, algorithm, key, signature and standard claims
 * (jose), then what jose leaves open (`identity.ts`). Whatever is not understood on the way refuses the token.
 */
import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { RunbookError } from '../../core/errors.ts';
import type { Authenticator } from '../../core/ports.ts';

import { identityFrom, notYetValid } from './identity.ts';
import { keySource } from './key-source.ts';
import type { KeyFor } from './key-source.ts';
import { faulty, quoted, refused, wrongSetting } from './refusal.ts';
import { readTokenForm } from './token-form.ts';
import type { TokenHeader } from './token-form.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';

const MAX_TOLERANCE_MS = 5 * 60_000;

export interface JwtDependencies {
  now(): Date;
  /** How far the clocks may differ; 0 where nothing is said, 5 minutes at most. */
  readonly clockToleranceMs?: number;
}

/** @throws RunbookError `settings` for issuers that cannot be trusted as they are written */
export function createJwtAuthenticator(issuers: readonly TrustedIssuer[], deps: JwtDependencies): Authenticator {
  const toleranceMs = deps.clockToleranceMs ?? 0;
  if (!(toleranceMs >= 0 && toleranceMs <= MAX_TOLERANCE_MS)) {
    throw wrongSetting('The clock tolerance is not between 0 and 5 minutes.', 'Set the clocks right instead.');
  }
  const trusted = new Map<string | null, { readonly issuer: TrustedIssuer; readonly keyFor: KeyFor }>();
  for (const issuer of issuers) {
    if (trusted.has(issuer.issuer)) throw wrongSetting(`Issuer ${quoted(issuer.issuer)} is given twice.`, 'Keep one.');
    if (issuer.audience.length === 0) {
      throw wrongSetting(`Issuer ${quoted(issuer.issuer)} has no audience.`, 'Say for whom its tokens are made.');
    }
    trusted.set(issuer.issuer, { issuer, keyFor: keySource(issuer, () => deps.now()) });
  }

  return {
    async authenticate(token) {
      if (trusted.size === 0) throw noKey();
      const { header, issuer: name } = readTokenForm(token);
      const found = trusted.get(name);
      if (found === undefined) {
        throw refused(
          'The issuer of the token is not trusted here.',
          `Bring a token of ${[...trusted.keys()].map(quoted).join(' or ')}, or add its issuer to the settings.`,
          name === null ? 'missing iss' : 'wrong iss',
        );
      }
      const { issuer, keyFor } = found;
      checkHeader(header, issuer);
      const key = await keyFor(header);
      const now = deps.now();
      const claims = await verify(token, key, issuer, now, toleranceMs);
      return identityFrom(claims, header, issuer, { nowMs: now.getTime(), toleranceMs });
    },
  };
}

function noKey(): RunbookError {
  return refused(
    'No key is set to verify tokens with.',
    'Set one of RUNBOOK_JWT_SECRET, RUNBOOK_JWT_PUBLIC_KEY_FILE, RUNBOOK_JWT_JWKS or RUNBOOK_JWT_ISSUERS_FILE.',
  );
}

function checkHeader({ alg, typ }: TokenHeader, { algorithms, own }: TrustedIssuer): void {
  if (!algorithms.includes(alg)) {
    throw faulty('algorithm', `The token is not signed with ${algorithms.join(' or ')}.`);
  }
  // Other tokens of our own (approvals, partners) say so in their type; other issuers use it as they like.
  if (own && typ !== null && typ.toLowerCase() !== 'jwt') throw refused('The token is not made for signing in.');
}

async function verify(
  token: string,
  key: Awaited<ReturnType<KeyFor>>,
  { issuer, audience, algorithms }: TrustedIssuer,
  currentDate: Date,
  toleranceMs: number,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...algorithms],
      audience: [...audience],
      ...(issuer === null ? {} : { issuer }),
      requiredClaims: ['exp', 'sub'],
      clockTolerance: toleranceMs / 1000,
      currentDate,
    });
    return payload;
  } catch (error) {
    throw explain(error, issuer);
  }
}

/** The library's sentences and errors carry the payload, so ours are our own. */
function explain(error: unknown, issuer: string | null): RunbookError {
  if (error instanceof errors.JWTExpired) return faulty('expired', 'The token has expired.');
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refused(
      `The token's signature does not hold under the key of issuer ${quoted(issuer)}.`,
      'Get a new token, or set the key that the issuer signs with.',
      'signature',
    );
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    // Only names that we asked about: never a word of the token's.
    const claim = ['exp', 'nbf', 'iat', 'sub', 'aud', 'iss'].find((name) => name === error.claim) ?? 'claim';
    if (error.reason === 'missing') return faulty(`missing ${claim}`, `The token lacks "${claim}".`);
    if (error.reason === 'invalid') return faulty(`wrong ${claim}`, `The token's "${claim}" is not a point in time.`);
    if (claim === 'nbf') return notYetValid(claim);
    return faulty(
      `wrong ${claim}`,
      claim === 'aud' ? 'The token is made for another audience ("aud").' : `The token's "${claim}" is wrong.`,
    );
  }
  return refused('The token cannot be verified.');
}
