/** Asking a server for one small JSON document. A module of its own, so that the HTTP client is loaded only when one is asked. */
import { Agent, request } from 'undici';
import { codeOf, messageOf } from '../../core/failures.ts';

const MAX_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;

export interface JsonQuestion {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the question for the address to the last byte; 10 s where nothing is said. */
  readonly timeoutMs?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  /** Undefined where it is no JSON document. */
  readonly body: unknown;
}

/**
 * An agent of its own: no redirects, no proxy of the environment, no idle socket that keeps a command alive, and certificates are
 * checked whatever the environment says.
 * @throws Error whose message is the reason, half a sentence about the server
 */
export async function askJson(
  url: URL,
  { method, headers = {}, body, timeoutMs = TIMEOUT_MS, signal }: JsonQuestion,
): Promise<JsonAnswer> {
  const agent = new Agent({
    connect: { timeout: timeoutMs, rejectUnauthorized: true },
    maxResponseSize: MAX_BYTES,
  });
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await request(url, {
      method,
      dispatcher: agent,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      headers: { accept: 'application/json', ...headers },
      body: body ?? null,
    });
    return { status: answer.statusCode, body: parsed(await answer.body.text()) };
  } catch (error) {
    throw new Error(reasonOf(error, timeout.aborted, signal?.aborted === true, timeoutMs), { cause: error });
  } finally {
    await agent.destroy();
  }
}

function reasonOf(error: unknown, isLate: boolean, isGivenUp: boolean, timeoutMs: number): string {
  if (isGivenUp) return 'was not waited for';
  if (isLate) return `has not answered within ${timeoutMs / 1000} s`;
  const code = codeOf(error);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'answers with more than anybody asked for';
  const why = code === '' ? messageOf(error) : code;
  return why === '' ? 'does not answer' : `does not answer (${why})`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
