/** From an HTTP request to what the engine is asked for. */
import type { FastifyRequest } from 'fastify';
import type { RunRequest } from '../core/run.ts';
import { identityOf } from './access.ts';
import { tokenOf } from './bearer.ts';
import type { ServerContext } from './context.ts';
import { findRunbook } from './documents.ts';
import type { FoundRunbook } from './documents.ts';
import { readEnvVars } from './env-vars.ts';
import type { Asked } from './execution/asked.ts';
import { addressOf } from './forwarded.ts';
import type { Asking } from './runs/questions.ts';
import { traceParentOf } from './trace-context.ts';

const never = new AbortController().signal;

export interface ReadRequest {
  readonly found: FoundRunbook;
  readonly runRequest: RunRequest;
  /** Hears how the run goes on; null where nobody is to be asked. */
  readonly asking: Asking | null;
  readonly warnings: readonly string[];
}

/** Of whoever asks for nothing but a runbook with variables, as in Stage0. */
const PLAIN: Pick<Asked, 'choice' | 'timeoutMs' | 'confirm' | 'incident'> = {
  choice: null,
  timeoutMs: null,
  confirm: null,
  incident: null,
};

/** @throws RunbookError `io`  @throws HttpError 404, 400 for a body that cannot be meant */
export async function readRequest(
  context: ServerContext,
  request: FastifyRequest,
  name: string,
  asked = PLAIN,
): Promise<ReadRequest> {
  const found = await findRunbook(context, name);
  const variables = found.parsed.runbook?.env ?? [];
  const booleans = new Set(variables.filter(({ type }) => type === 'boolean').map((one) => one.name));
  const { given, warnings } = readEnvVars(request.body, (variable) => booleans.has(variable));
  const asking = asked.confirm === 'ask' ? context.questions.open(context.settings.confirmTimeout) : null;
  const { choice, incident } = asked;
  const runRequest = {
    ...requestFor(context, request, name, given),
    choice,
    timeoutMs: shortest(asked.timeoutMs, context.engine.limits.defaultTimeoutMs),
    incident,
    assumeYes: asked.confirm === 'yes',
    interaction: asking?.interaction ?? null,
  };
  return { found, runRequest, asking, warnings };
}

/** From elsewhere a run is only ever made shorter: the server's own limit is not lifted by naming another one. */
function shortest(asked: number | null, own: number | null): number | null {
  return asked === null || own === null ? asked : Math.min(asked, own);
}

function requestFor(
  { settings }: ServerContext,
  request: FastifyRequest,
  reference: string,
  given: ReadonlyMap<string, string>,
): RunRequest {
  const identity = identityOf(request);
  return {
    reference,
    token: tokenOf(request.headers.authorization),
    address: addressOf(request),
    given,
    onCommandLine: new Set(),
    wanted: [],
    envFile: new Map(),
    passEnv: [],
    source: 'api',
    historyMode: settings.history,
    timeoutMs: null,
    // What a run's own token says of its chain cannot be left out, or said otherwise, by its script.
    callChain: identity.run?.callChain ?? chainOf(request.headers['x-recursion-stack']),
    correlationId: request.id,
    traceParent: traceParentOf(request.headers),
    incident: null,
    signal: never,
    force: never,
    strict: false,
    interaction: null,
    assumeYes: false,
    choice: null,
    stubs: null,
    keepWorkFolder: settings.keepWorkdir,
  };
}

const MAX_NAME_LENGTH = 255;

/** A JSON list of texts; anything else is passed over, as in Stage0. */
function chainOf(header: string | readonly string[] | undefined): readonly string[] {
  try {
    const list: unknown = JSON.parse(typeof header === 'string' ? header : '[]');
    if (!Array.isArray(list)) return [];
    const names: readonly unknown[] = list;
    return names.every((name) => typeof name === 'string') ? names.map((name) => name.slice(0, MAX_NAME_LENGTH)) : [];
  } catch {
    return [];
  }
}
