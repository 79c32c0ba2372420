/**
 * Tokens for runs: a script calls other runbooks as its caller, for as long as its own run lasts. The key is made at the
 * start and never leaves this process, so such a token is worth nothing anywhere else, nor after a restart.
 */
import { hash, randomBytes } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Identity, RunTokens } from '../../core/ports.ts';
import { refused } from './refusal.ts';
import { MAX_TOKEN_LENGTH, readTokenForm } from './token-form.ts';

const TYPE = 'runbook-run+jwt';
const ISSUER = 'runbook';
const AUDIENCE = 'runbook-run';
const ALGORITHM = 'HS256';

export interface RunTokenAuthenticator extends RunTokens {
  /** Null: it is no such token. @throws RunbookError `unauthenticated` for one that does not hold any more */
  authenticate(token: string): Promise<Identity | null>;
  /** Null: it was not made here, or does not hold any more. */
  recall(token: string): Identity | null;
}

export function createRunTokens({ now }: { readonly now: () => Date }): RunTokenAuthenticator {
  const key = randomBytes(32);
  // Whose run it is says the memory of this process; what stands in the token is for people who look into it.
  const live = new Map<string, Identity>();
  // Of the token itself: what was made here needs no signature to be known by.
  const runOf = new Map<string, string>();
  return {
    issue: async ({ runId, identity, callChain, expiresAt }) => {
      const token = await new SignJWT({ roles: [...identity.roles], chain: [...callChain], depth: callChain.length })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(identity.subject)
        .setJti(runId)
        .setIssuedAt(now())
        .setExpirationTime(Math.ceil(expiresAt.getTime() / 1000))
        .sign(key);
      live.set(runId, { ...identity, expiresAt, run: { runId, callChain } });
      runOf.set(hash('sha256', token), runId);
      return token;
    },
    revoke: (runId) => {
      live.delete(runId);
      for (const [digest, run] of runOf) if (run === runId) runOf.delete(digest);
    },
    recall: (token) => {
      const runId = token.length > MAX_TOKEN_LENGTH ? undefined : runOf.get(hash('sha256', token));
      const identity = runId === undefined ? undefined : live.get(runId);
      return identity === undefined || identity.expiresAt <= now() ? null : identity;
    },
    authenticate: async (token) => {
      if (readTokenForm(token).header.typ !== TYPE) return null;
      const options = { algorithms: [ALGORITHM], issuer: ISSUER, audience: AUDIENCE, typ: TYPE, currentDate: now() };
      const claims = await jwtVerify(token, key, { ...options, requiredClaims: ['exp', 'sub', 'jti'] }).then(
        ({ payload }) => payload,
        () => null,
      );
      if (claims === null) {
        throw refused(
          'The token of the run does not hold.',
          'It is for calls of the run’s own script, to this server.',
        );
      }
      const identity = live.get(claims.jti ?? '');
      if (identity === undefined) {
        throw refused('The run that the token was made for is over.', 'Call other runbooks while the run goes on.');
      }
      return identity;
    },
  };
}
