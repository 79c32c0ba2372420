/**
 * Verifies JSON Web Tokens of trusted issuers. Order: form, issuer, type, algorithm, key, signature and standard claims
 * (jose), then what jose leaves open (`identity.ts`). Whatever is not understood on the way refuses the token.
 */
import { compactVerify, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { RunbookError } from '../../core/errors.ts';
import type { Authenticator, Identity } from '../../core/ports.ts';

import { SECRET_ALGORITHMS } from './algorithms.ts';
import { identityFrom, notYetValid } from './identity.ts';
import type { Network } from './key-set-source.ts';
import { faulty, quoted, refused, wrongSetting } from './refusal.ts';
import { readTokenForm } from './token-form.ts';
import type { TokenForm, TokenHeader } from './token-form.ts';
import { createTrust } from './trust.ts';
import type { Trust } from './trust.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';
import type { VerificationKey } from './verification-key.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

const MAX_TOLERANCE_MS = 5 * 60_000;

export interface JwtDependencies {
  now(): Date;
  /** How far the clocks may differ; 0 where nothing is said, 5 minutes at most. */
  readonly clockToleranceMs?: number;
  /** How long ago a token may have been made; null: as long as it holds. */
  readonly maxAgeMs?: number | null;
  /** How key sets are fetched. */
  readonly network?: Network;
}

export interface JwtAuthenticator extends Authenticator, Pick<Trust, 'ready' | 'replace' | 'states'> {}

/** @throws RunbookError `settings` for issuers that cannot be trusted as they are written */
export function createJwtAuthenticator(issuers: readonly TrustedIssuer[], deps: JwtDependencies): JwtAuthenticator {
  const toleranceMs = deps.clockToleranceMs ?? 0;
  if (!(toleranceMs >= 0 && toleranceMs <= MAX_TOLERANCE_MS)) {
    throw wrongSetting('The clock tolerance is not between 0 and 5 minutes.', 'Set the clocks right instead.');
  }
  const maxAgeMs = deps.maxAgeMs ?? null;
  if (maxAgeMs !== null && !(maxAgeMs > 0)) {
    throw wrongSetting('The greatest age of tokens is not a time above 0.', 'Leave it out, or set it to a longer one.');
  }
  const trust = createTrust(issuers, () => deps.now(), deps.network ?? {});
  const verified = createVerifiedTokens();

  /** What has to be asked each time: who is trusted now, which of its keys count, and what time it is. */
  async function identify(token: string, { header, issuer: name }: TokenForm): Promise<Identity> {
    const found = trust.of(name);
    if (found === undefined) throw notTrusted(trust, name);
    const { issuer, keys } = found;
    checkHeader(header, issuer);
    const candidates = await keys.candidates(header);
    const now = deps.now();
    const known = verified.claimsOf(token, issuer, candidates);
    const key = known?.key ?? (await signerOf(token, candidates, issuer));
    const claims = known?.claims ?? (await verify(token, key, issuer, now, toleranceMs));
    const identity = identityFrom(claims, key, issuer, { nowMs: now.getTime(), toleranceMs, maxAgeMs });
    if (known === null) verified.add(token, { form: { header, issuer: name }, issuer, key, claims });
    trust.used(issuer, key, now);
    return identity;
  }

  return {
    ready: async () => await trust.ready(),
    replace: async (wanted) => {
      await trust.replace(wanted);
      verified.clear();
    },
    states: () => trust.states(),
    async recall(token) {
      const form = verified.formOf(token);
      if (form === null) return null;
      try {
        return await identify(token, form);
      } catch (error) {
        // Why it does not hold any more says whoever looks at it anew.
        if (!(error instanceof RunbookError)) throw error;
        verified.remove(token);
        return null;
      }
    },
    async authenticate(token) {
      if (trust.names.length === 0) throw noKey();
      return await identify(token, verified.formOf(token) ?? readTokenForm(token));
    },
  };
}

function notTrusted(trust: Trust, name: string | null): RunbookError {
  return refused(
    'The issuer of the token is not trusted here.',
    `Bring a token of ${trust.names.map(quoted).join(' or ')}, or add its issuer to the settings.`,
    name === null ? 'missing iss' : 'wrong iss',
  );
}

function noKey(): RunbookError {
  return refused(
    'No key is set to verify tokens with.',
    'Set one of RUNBOOK_JWT_SECRET, RUNBOOK_JWT_PUBLIC_KEY_FILE, RUNBOOK_JWT_JWKS, RUNBOOK_OIDC_ISSUER or RUNBOOK_JWT_ISSUERS_FILE.',
  );
}

function checkHeader({ alg, typ }: TokenHeader, { algorithms, own }: TrustedIssuer): void {
  if (!algorithms.includes(alg)) {
    throw faulty('algorithm', `The token is not signed with ${algorithms.join(' or ')}.`);
  }
  // Other tokens of our own (approvals, partners) say so in their type; other issuers use it as they like.
  if (own && SECRET_ALGORITHMS.includes(alg) && typ !== null && typ.toLowerCase() !== 'jwt')
    throw refused('The token is not made for signing in.');
}

/**
 * The key whose signature the token has. Nothing else is asked here: what the token says is then decided under this key,
 * and no answer to that leads to the next one.
 */
async function signerOf(
  token: string,
  candidates: readonly VerificationKey[],
  issuer: TrustedIssuer,
): Promise<VerificationKey> {
  const [first] = candidates;
  // With one key there is nothing to choose; its signature is looked at with the rest.
  if (first !== undefined && candidates.length === 1) return first;
  for (const candidate of candidates) {
    try {
      await compactVerify(token, candidate.key, { algorithms: [...candidate.algorithms] });
      return candidate;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw explain(error, issuer.issuer);
    }
  }
  throw wrongSignature(issuer.issuer);
}

async function verify(
  token: string,
  { key, algorithms }: VerificationKey,
  { issuer, audience }: TrustedIssuer,
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
  if (error instanceof errors.JWSSignatureVerificationFailed) return wrongSignature(issuer);
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

function wrongSignature(issuer: string | null): RunbookError {
  return refused(
    `The token's signature does not hold under the key of issuer ${quoted(issuer)}.`,
    'Get a new token, or set the key that the issuer signs with.',
    'signature',
  );
}
