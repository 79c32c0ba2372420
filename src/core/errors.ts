/**
 * The one table of expected failures: code → exit code → HTTP status → meaning. A test holds
 * `docs/errors.md` equal to it. Exit codes follow sysexits(3), `timeout(1)` (124) and POSIX shells (128+n).
 *
 * A bug is not in this table: it is a `TypeError` or an assertion, and the faces show it as `internal` (70).
 */
import type { Problem } from './runbook.ts';

interface ErrorKind {
  readonly exit: number;
  readonly status: number;
  readonly meaning: string;
}

export const ERRORS = {
  usage: { exit: 64, status: 400, meaning: 'The command line or the request is wrong.' },
  'variable-denied': { exit: 64, status: 400, meaning: 'A variable has a name that nobody may set.' },
  'runbook-invalid': { exit: 65, status: 422, meaning: 'The document breaks a rule of RUNBOOK_FORMAT.md.' },
  recursion: {
    exit: 65,
    status: 409,
    meaning: 'The runbook is already running in this call chain, or the chain is too deep.',
  },
  'record-altered': { exit: 65, status: 409, meaning: 'Something in the record does not hold.' },
  'not-found': { exit: 66, status: 404, meaning: 'There is no such runbook, run or file.' },
  unavailable: {
    exit: 69,
    status: 503,
    meaning: 'Something that the run needs is not available (interpreter, ledger, key server).',
  },
  internal: { exit: 70, status: 500, meaning: 'A bug in runbook itself.' },
  io: { exit: 74, status: 507, meaning: 'Reading or writing failed (disk full, permission, broken device).' },
  busy: { exit: 75, status: 503, meaning: 'Not now: busy, paused or rate limited. Try again later.' },
  unauthenticated: { exit: 77, status: 401, meaning: 'No token, or one that does not hold.' },
  forbidden: { exit: 77, status: 403, meaning: 'The token holds, but it lacks claims that the runbook requires.' },
  'requirements-unmet': {
    exit: 78,
    status: 422,
    meaning: 'A variable or a file that the runbook declares is missing or wrong.',
  },
  settings: { exit: 78, status: 500, meaning: 'A setting is wrong.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** Exit codes of outcomes, which are data and not errors: see `exitCodeOf` in run.ts. */
export const OUTCOME_EXITS = {
  'timed-out': { exit: 124, meaning: 'The script ran longer than its limit and was ended.' },
  canceled: { exit: 130, meaning: 'The run was ended on request (143 when the request was SIGTERM).' },
  'limit-exceeded': { exit: 137, meaning: 'The script passed a limit (memory, processes) and was ended.' },
  'spawn-failed': { exit: 69, meaning: 'The script could not be started.' },
} as const;

/** An expected failure. `message` says in one sentence what is wrong, `fix` in one sentence what to do. */
export class RunbookError extends Error {
  readonly code: ErrorCode;
  readonly fix: string;
  /** All problems at once where the failure is about a document or its requirements. */
  readonly problems: readonly Problem[];
  /** Tells causes of one code apart, for faces with words of their own; null where nobody asks. */
  readonly reason: string | null;
  /** The document that `problems` point into, as it is shown to the caller; empty where there are none. */
  readonly document: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: { fix: string; problems?: readonly Problem[]; document?: string; reason?: string; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RunbookError';
    this.code = code;
    this.fix = options.fix;
    this.problems = options.problems ?? [];
    this.reason = options.reason ?? null;
    this.document = options.document ?? '';
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}
