/**
 * Errors as answers: problem documents (RFC 9457) that also carry Stage0's `error`. Nothing of a bug is told but that it is
 * one; nothing of a request is repeated but what its own caller wrote.
 */
import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ERRORS, RunbookError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { DISK_FULL } from '../core/room.ts';

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Of the table in docs/errors.md, or of HTTP alone (`not-allowed`, …). */
  readonly code: string;
  /** What to do, one sentence. */
  readonly fix: string;
  readonly success: false;
  /** As Stage0 words it. */
  readonly error: string;
  readonly problems?: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fix: string;
    readonly line: number;
  }[];
}

/** What a route says of a request that it refuses. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string;
  /** Stage0's text where it differs. */
  readonly stage0: string;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { readonly fix: string; readonly stage0?: string },
  ) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
    this.fix = options.fix;
    this.stage0 = options.stage0 ?? message;
  }
}

/** Whatever it was asked with. */
export function nothingHere(): HttpError {
  return new HttpError(404, 'not-found', 'There is nothing at this address.', {
    fix: '/docs/explorer.html shows what there is.',
    stage0: 'Not found',
  });
}

const TYPE_BASE = 'https://github.com/agile-learning-institute/runbook/blob/main/docs/errors.md#';

/** Failures of the server's own surroundings. */
export const INNER_CODES: ReadonlySet<string> = new Set<ErrorCode>(['io', 'unavailable', 'settings', 'record-altered']);
/** Where their sentences name places. */
export const INNER = {
  message: 'Something that the server needs does not work.',
  fix: 'Ask whoever operates it: /readyz says what, and its log why.',
};

/** @param stage0 Stage0's text where it has one of its own for this case */
export function problemOf(error: unknown, stage0?: string): ProblemDocument {
  if (error instanceof RunbookError && error.code !== 'internal') {
    const { code, problems } = error;
    const { message, fix } = INNER_CODES.has(code) && `${error.message} ${error.fix}`.includes('/') ? INNER : error;
    const status = code === 'io' && !isOutOfSpace(error) ? 503 : ERRORS[code].status;
    return {
      ...documentOf(status, code, message, fix, stage0 ?? message),
      ...(problems.length === 0
        ? {}
        : {
            problems: problems.map(({ rule, message: text, fix: remedy, line }) => ({
              rule,
              message: text,
              fix: remedy,
              line,
            })),
          }),
    };
  }
  if (error instanceof HttpError) {
    return documentOf(error.status, error.code, error.message, error.fix, error.stage0);
  }
  const { status, code, detail, fix } = asFastifyError(error) ?? BUG;
  return documentOf(status, code, detail, fix, status === 500 ? 'A processing error occurred' : detail);
}

/** Whether freeing space would help: 507 says so, and sends nobody to look for it who lacks a permission. */
function isOutOfSpace(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { reason, code, cause } = error as {
    readonly reason?: unknown;
    readonly code?: unknown;
    readonly cause?: unknown;
  };
  return reason === DISK_FULL || ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(String(code)) || isOutOfSpace(cause);
}

export async function sendProblem(reply: FastifyReply, problem: ProblemDocument): Promise<void> {
  if ([429, 503].includes(problem.status) && !reply.hasHeader('retry-after')) reply.header('retry-after', '5');
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  await reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(`${JSON.stringify(problem)}\n`);
}

function documentOf(status: number, code: string, detail: string, fix: string, error: string): ProblemDocument {
  return {
    type: `${TYPE_BASE}${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
    fix,
    success: false,
    error,
  };
}

const BUG = {
  status: 500,
  code: 'internal',
  detail: 'This is a bug in runbook itself.',
  fix: 'Report it with the correlation id of this answer; the log of the server has the details.',
};

/** What Fastify itself says of a request: the caller's mistake, or nobody's who may hear of it. */
function asFastifyError(error: unknown): typeof BUG | null {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return null;
  const { statusCode } = error;
  if (statusCode < 400 || statusCode >= 500) return null;
  const known = MISTAKES.get(statusCode);
  return {
    status: statusCode,
    code: 'usage',
    detail: known?.detail ?? sentence(error.message),
    fix: known?.fix ?? 'Correct the request.',
  };
}

const MISTAKES: ReadonlyMap<number, { readonly detail?: string; readonly fix: string }> = new Map([
  [400, { fix: 'Correct the request; /docs/explorer.html shows what each route takes.' }],
  [413, { detail: 'The body is larger than 1 MiB.', fix: 'Send less; large inputs belong into files of the runbook.' }],
  [415, { detail: 'The body is not JSON.', fix: 'Send it with Content-Type: application/json.' }],
]);

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
