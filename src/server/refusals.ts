/** Requests for runs that are refused: which of them Stage0 tells as events, how, and what the log says. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RunbookError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { RunRequest } from '../core/run.ts';
import { ClaimsLacking } from '../engine/access.ts';
import { identityOf } from './access.ts';
import { alertFacts } from './alert.ts';
import type { ServerContext } from './context.ts';
import type { FoundRunbook } from './documents.ts';
import { INNER_CODES, problemOf, sendProblem } from './problem.ts';
import { invalidNameText, recursionText } from './stage0/texts.ts';
import { messagesOf } from './stage0/validation.ts';

/** The sentences of `errors`, and the text of `stderr`. */
export interface ToldRefusal {
  readonly errors: readonly string[];
  readonly stderr: string;
}

const OF_DOCUMENT: ReadonlySet<ErrorCode> = new Set(['runbook-invalid', 'requirements-unmet', 'unavailable']);

/** What the caller may hear who may execute the runbook. @returns null where the refusal is a status of its own */
export function asEvents(
  { engine }: Pick<ServerContext, 'engine'>,
  error: unknown,
  { document, parsed }: FoundRunbook,
  { callChain }: Pick<RunRequest, 'callChain'>,
): ToldRefusal | null {
  if (!(error instanceof RunbookError)) return null;
  const { code, reason, problems, message } = error;
  const told = (text: string): ToldRefusal => ({ errors: [text], stderr: text });
  if (OF_DOCUMENT.has(code) && problems.length > 0) {
    const { errors } = messagesOf(problems, { title: parsed.title, fileName: document.fileName });
    return errors.length === 0 ? told(message) : { errors, stderr: errors.join('\n') };
  }
  if (code === 'runbook-invalid') return told(message);
  if (code === 'recursion') return told(recursionText(document.fileName, callChain, engine.limits.maxRecursionDepth));
  if (reason === 'variable-name') {
    const errors = problems.map(({ about }) => invalidNameText(about ?? ''));
    return { errors, stderr: errors.map((text) => `ERROR: ${text}\n`).join('') };
  }
  return reason === 'inputs' ? told(`Failed to copy input files:\n${message}`) : null;
}

/** What was asked for, of which document. */
interface Asked {
  readonly operation: 'execute' | 'validate';
  readonly found: FoundRunbook;
}

/** With a status of its own. */
export async function answerRefusal(
  context: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: Asked,
  error: unknown,
): Promise<void> {
  logRefusal(context, request, asked, error);
  const problem = problemOf(error, error instanceof ClaimsLacking ? error.recorded : undefined);
  if (problem.status === 500) context.log.error({ correlationId: request.id, err: error }, 'A bug');
  await sendProblem(reply, problem);
}

/** Two of these texts are what Stage0's users alert on. */
export function logRefusal(
  { log, metrics }: Pick<ServerContext, 'log' | 'metrics'>,
  request: FastifyRequest,
  { operation, found }: Asked,
  error: unknown,
): void {
  if (!(error instanceof RunbookError)) return;
  const { code } = error;
  metrics.refusal(code);
  const text =
    error instanceof ClaimsLacking
      ? 'RBAC failure'
      : error.reason === 'variable-name'
        ? 'Invalid environment variable name'
        : 'Run refused';
  const { subject } = identityOf(request);
  const facts = { ...alertFacts(request, found.document.fileName), subject, operation, code };
  // Callers are not told where things are on the server; the operator is.
  if (INNER_CODES.has(code)) log.error({ ...facts, reason: error.message }, text);
  else log.warn(facts, text);
}
