/** Fetching a key set. A module of its own, so that the HTTP client is loaded only when there is one to fetch. */
import { Agent, request } from 'undici';

/** From the first packet to the last byte. */
const FETCH_TIMEOUT_MS = 2000;

/**
 * An agent of its own: no redirects, no proxy of the environment, and no idle socket that keeps a command alive.
 * @throws Error whose message is the reason
 */
export async function fetchKeySet(url: URL, maxBytes: number): Promise<Uint8Array> {
  const agent = new Agent({ connect: { timeout: FETCH_TIMEOUT_MS }, maxResponseSize: maxBytes });
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      headers: { accept: 'application/json' },
    });
    if (statusCode !== 200) {
      // Its content is of no interest; destroying the agent ends it.
      body.on('error', () => undefined);
      throw new Error(
        `it answered ${statusCode}${statusCode >= 300 && statusCode < 400 ? ', and redirects are not followed' : ''}`,
      );
    }
    return await body.bytes();
  } finally {
    await agent.destroy();
  }
}
