/** The token that GitHub Actions gives a job to say who it is (OpenID Connect); it is fetched anew with each call. */
import { setTimeout as delay } from 'node:timers/promises';
import { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';
import { JOB_IDENTITY_NAMES } from './names.ts';

const MAX_BYTES = 64 * 1024;
/** Of one try; the runners of many jobs ask at the same minute. */
const TIMEOUT_MS = 5000;
const TRIES = 3;
const PAUSE_MS = 500;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * @param audience that the token is to name
 * @throws RunbookError `unauthenticated` (the job may not ask), `settings` (its address cannot be used), `unavailable`
 */
export async function fetchJobToken(environment: ReadonlyMap<string, string>, audience: string): Promise<string> {
  const [address = '', secret = ''] = JOB_IDENTITY_NAMES.map((name) => environment.get(name));
  if (address === '' || secret === '') {
    throw new RunbookError('unauthenticated', 'This job has no identity to show: GitHub Actions gave it none.', {
      fix: 'Write `permissions: {id-token: write, contents: read}` in the job; jobs of pull requests from forks get none.',
    });
  }
  const url = urlOf(address, audience);
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(url, secret);
    } catch (error) {
      if (tries < TRIES && !(error instanceof RunbookError)) {
        await delay(PAUSE_MS);
        continue;
      }
      if (error instanceof RunbookError) throw error;
      throw new RunbookError('unavailable', `GitHub Actions gave no token: ${messageOf(error)}.`, {
        fix: 'Run the job again; https://www.githubstatus.com says whether others have the same trouble.',
        cause: error,
      });
    }
  }
}

function urlOf(address: string, audience: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) {
    url.searchParams.set('audience', audience);
    return url;
  }
  throw new RunbookError('settings', 'ACTIONS_ID_TOKEN_REQUEST_URL is no https address.', {
    fix: 'Leave it as the runner sets it.',
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** @throws Error whose message is the reason where a second try may help; RunbookError where it cannot */
async function ask(url: URL, secret: string): Promise<string> {
  const { getDocument } = await import('../network/get.ts');
  // The runner names the host, which is a private one with an Enterprise server.
  const bytes = await getDocument(url, {
    maxBytes: MAX_BYTES,
    privateHosts: [url.host, url.hostname],
    timeoutMs: TIMEOUT_MS,
    headers: { authorization: `Bearer ${secret}` },
  });
  const value = tokenIn(Buffer.from(bytes).toString('utf8'));
  if (value !== null) return value;
  throw new RunbookError('unavailable', 'What GitHub Actions answered holds no token.', {
    fix: 'Run the job again; where that does not help, the runner is not one of GitHub Actions.',
  });
}

function tokenIn(text: string): string | null {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null || !('value' in answer)) return null;
    return typeof answer.value === 'string' && JWT.test(answer.value) ? answer.value : null;
  } catch {
    return null;
  }
}
