/** Answers that many routes have: problem documents, each with when it is sent. */
import { STATUS_CODES } from 'node:http';
import { Problem } from '../schemas/runbooks.ts';
import type { Answer, Header } from './openapi.ts';

const text = { type: 'string' } as const;
export const CORRELATION: Header = {
  description: 'The id of this request: the caller’s own where it was harmless, else a new one',
  required: true,
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
};
const RETRY: Header = {
  description: 'Seconds until it is worth another try',
  required: true,
  schema: { type: 'string', pattern: '^\\d+$' },
};

const digits = { type: 'string', pattern: '^\\d+$' } as const;
/** Where requests are counted. */
export const RATE: NonNullable<Answer['headers']> = {
  'RateLimit-Limit': { description: 'How often it may be asked within a minute', schema: digits },
  'RateLimit-Remaining': { description: 'How often it still may', schema: digits },
  'RateLimit-Reset': { description: 'Seconds until it is counted anew', schema: digits },
};

/** By status: when it is sent, the `code` of the example, and what else is in its head. */
const PROBLEMS: Readonly<
  Record<
    number,
    { readonly when: string; readonly code: string; readonly detail: string; readonly headers?: Answer['headers'] }
  >
> = {
  400: { when: 'The request is wrong', code: 'usage', detail: 'env_vars is not a JSON object.' },
  401: {
    when: 'There is no token, or it does not hold',
    code: 'unauthenticated',
    detail: 'The token has expired.',
    headers: {
      'WWW-Authenticate': { description: 'How to say who one is', required: true, schema: text },
    },
  },
  403: {
    when: 'The token holds, but lacks claims that are required; recorded in the ledger, and the first ones in the document',
    code: 'forbidden',
    detail: 'Claims are missing: roles.',
  },
  404: { when: 'There is no such thing', code: 'not-found', detail: 'There is no runbook “Nothing.md”.' },
  409: {
    when: 'It does not go with what there is: a key that was used for something else, a runbook that called itself, a run that has ended',
    code: 'conflict',
    detail: 'This Idempotency-Key was used for another request.',
  },
  410: { when: 'Gone for good', code: 'gone', detail: 'A server is not ended over HTTP.' },
  413: { when: 'The body is too large', code: 'usage', detail: 'The body is larger than 1 MiB.' },
  415: { when: 'The body is not JSON', code: 'usage', detail: 'The body is not JSON.' },
  416: { when: 'The file has no such part', code: 'usage', detail: 'Range Not Satisfiable.' },
  422: {
    when: 'The document breaks a rule of the format',
    code: 'runbook-invalid',
    detail: 'The document is too large.',
  },
  429: {
    when: 'Too many requests within a minute: of this caller, or from this address without a token that holds',
    code: 'busy',
    detail: 'You may ask 600 times a minute.',
    headers: { 'Retry-After': RETRY, ...RATE },
  },
  500: { when: 'A bug of the server', code: 'internal', detail: 'This is a bug in runbook itself.' },
  503: {
    when: 'Not now: the server is about to end, or is paused, or something that it needs is away (the Redis of its limits, say), or cannot be read or written',
    code: 'busy',
    detail: 'The server is about to end and takes no more runs.',
    headers: { 'Retry-After': RETRY },
  },
  507: { when: 'A disk is full', code: 'io', detail: 'A disk is full.' },
};

/** @throws TypeError for a status that has no text here */
export function problemAnswer(status: number): Answer {
  const known = PROBLEMS[status];
  if (known === undefined) throw new TypeError(`nothing is known of status ${status}`);
  const { when, code, detail, headers = {} } = known;
  const example = {
    type: `https://github.com/agile-learning-institute/runbook/blob/main/docs/errors.md#${code}`,
    title: STATUS_CODES[status],
    status,
    detail,
    code,
    fix: 'One sentence that says what to do.',
    success: false,
    error: detail,
  };
  return {
    description: when,
    headers: { 'X-Correlation-Id': CORRELATION, ...headers },
    content: { 'application/problem+json': { schema: Problem, example } },
  };
}
