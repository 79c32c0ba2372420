/** A server's side of a login: what it offers, a token for development, and whose a token is. */
import { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';
import { readOffer, readTokens } from '../../core/login.ts';
import type { LoginOffer, Tokens } from '../../core/login.ts';
import { askJson } from '../network/json.ts';
import type { JsonAnswer, JsonQuestion } from '../network/json.ts';

/** @throws RunbookError `unavailable` */
export async function askOffer(server: string): Promise<LoginOffer> {
  const { status, body } = await ask(server, '/login', { method: 'GET' });
  const offer = status === 200 ? readOffer(body) : undefined;
  if (offer === undefined) throw unavailable(server, `does not say how to log in (${status})`);
  return offer;
}

/** @throws RunbookError `unavailable` */
export async function developmentLogin(
  server: string,
  wish: { readonly subject?: string; readonly roles?: readonly string[] },
  now: Date,
): Promise<Tokens> {
  const { status, body } = await ask(server, '/dev-login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  });
  const tokens = status === 200 ? readTokens(body, now) : undefined;
  if (tokens === undefined) throw unavailable(server, `gives no token (${status})`);
  return { ...tokens, refreshToken: null };
}

/** Subject of the token, as the server sees it. @throws RunbookError `unauthenticated` where the server does not take it, `unavailable` */
export async function askSubject(server: string, token: string): Promise<string> {
  const { status, body } = await ask(server, '/api/config', {
    method: 'GET',
    headers: { authorization: `Bearer ${token}` },
  });
  if (status === 401)
    throw new RunbookError('unauthenticated', `${server} does not take the token that its issuer gave.`, {
      fix: 'Ask whoever operates it: OIDC_ISSUER and JWT_AUDIENCE there have to fit the tokens of that client.',
    });
  const subject = status === 200 ? subjectIn(body) : undefined;
  if (subject === undefined) throw unavailable(server, `does not say whose the token is (${status})`);
  return subject;
}

function subjectIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('token' in body)) return undefined;
  const { token } = body;
  if (typeof token !== 'object' || token === null || !('user_id' in token)) return undefined;
  return typeof token.user_id === 'string' ? token.user_id : undefined;
}

async function ask(server: string, path: string, question: JsonQuestion): Promise<JsonAnswer> {
  try {
    return await askJson(new URL(`${server}${path}`), question);
  } catch (error) {
    throw unavailable(server, messageOf(error));
  }
}

function unavailable(server: string, why: string): RunbookError {
  return new RunbookError('unavailable', `${server} ${why}.`, { fix: 'Check the address, and try again in a moment.' });
}
