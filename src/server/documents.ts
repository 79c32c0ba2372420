/** The runbooks of the folder as a caller may see them. */
import { authorize } from '../core/claims.ts';
import { resolveVariables } from '../core/environment.ts';
import { RunbookError } from '../core/errors.ts';
import type { Identity, LatestRun, LoadedDocument } from '../core/ports.ts';
import type { ParseResult, Runbook } from '../core/runbook.ts';
import { listRunbooks, showRunbook } from '../engine/queries.ts';
import { latestRunsOf } from '../engine/latest-runs.ts';
import { entriesBesides } from '../engine/unwritten-entries.ts';
import { isAdmin } from './access.ts';
import type { ServerContext } from './context.ts';
import { HttpError } from './problem.ts';

export interface FoundRunbook {
  readonly document: LoadedDocument;
  readonly parsed: ParseResult;
}

/**
 * A runbook, also one that has something wrong.
 * @param extent `whole`: with all of its history, whose length nobody bounds @throws HttpError 404  @throws RunbookError `io`
 */
export async function findRunbook({ engine }: ServerContext, name: string, extent?: 'whole'): Promise<FoundRunbook> {
  const found = await showRunbook(engine, name, extent).catch((error: unknown) => {
    throw asAnswer(error, name);
  });
  if (found.document.fileName !== name || !isRunbook(found.parsed)) throw notFound(name);
  return found;
}

/** Where a link leads, and where the folder is, is nobody's business here. */
function asAnswer(error: unknown, name: string): unknown {
  if (!(error instanceof RunbookError)) return error;
  if (error.code === 'not-found' || error.code === 'usage') return notFound(name);
  return error.code === 'io'
    ? new RunbookError('io', 'The runbook cannot be read.', { fix: 'Ask the operator of the server.', cause: error })
    : error;
}

/**
 * Any other markdown beside the runbooks (a README) is not served. What has a part that only runbooks have is one that is
 * broken, and so is an empty file: their authors want to be told.
 */
const PARTS = ['Script', 'Steps', 'Environment Requirements', 'File System Requirements', 'Required Claims'];

function isRunbook({ sections, problems }: ParseResult): boolean {
  return PARTS.some((name) => sections.has(name)) || problems.some(({ rule }) => rule === 'document-empty');
}

function notFound(name: string): HttpError {
  const shown = name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
  return new HttpError(404, 'not-found', `There is no runbook “${shown}”.`, {
    fix: 'GET /api/runbooks shows what there is.',
    stage0: `Runbook not found: ${shown}`,
  });
}

/** Whether output, history and artifacts are for this caller, too. Of a document that is invalid they are for nobody else than an administrator. */
export function mayReadRuns(
  context: Pick<ServerContext, 'settings'>,
  identity: Identity,
  runbook: Runbook | null,
): boolean {
  if (isAdmin(context, identity)) return true;
  if (runbook === null) return false;
  const { claims, readers } = runbook;
  if (claims === null) return true;
  return (
    authorize(identity.claims, claims).allowed || (readers !== null && authorize(identity.claims, readers).allowed)
  );
}

/** The text of one that was found whole; for who may read of runs with all entries, also those that could not be written into the file. */
export async function contentFor(
  context: ServerContext,
  identity: Identity,
  { document, parsed }: FoundRunbook,
): Promise<string> {
  const { bytes } = document;
  if (!mayReadRuns(context, identity, parsed.runbook)) {
    const head = bytes.subarray(0, parsed.historyOffset ?? bytes.length);
    return textOf(head) + (parsed.historyOffset === null ? '' : '# History\n');
  }
  const besides = await entriesBesides(context.engine, document);
  const text = textOf(bytes);
  if (besides === '') return text;
  const heading = parsed.historyOffset === null ? '\n# History\n' : '';
  return `${text}${text.endsWith('\n') ? '' : '\n'}${heading}\n${besides}`;
}

function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replaceAll(/\r\n?/g, '\n');
}

interface Listed {
  readonly filename: string;
  readonly name: string;
  readonly path: string;
  last?: {
    readonly run_id: string;
    readonly state: string;
    readonly outcome: string | null;
    readonly finished_at: string | null;
  } | null;
}

export async function listFor(context: ServerContext, identity: Identity, withLast: boolean): Promise<Listed[]> {
  const { engine } = context;
  const documents = await listRunbooks(engine).catch((error: unknown) => {
    if (!(error instanceof RunbookError)) throw error;
    throw new HttpError(404, 'not-found', 'The folder of runbooks is not there, or cannot be read.', {
      fix: 'Ask the operator of the server: /readyz says what is wrong.',
      stage0: 'Runbooks directory not found',
    });
  });
  const found = documents.flatMap(({ fileName, document, parsed }) => {
    // As Stage0: what has no title is found by its name only.
    if (document === null || parsed === null || parsed.title === null || !isRunbook(parsed)) return [];
    const { runbook, title } = parsed;
    const listed: Listed = { filename: fileName, name: title, path: fileName };
    return [{ listed, path: document.path, runbook }];
  });
  if (!withLast) return found.map(({ listed }) => listed);
  const readable = found.filter(({ runbook }) => mayReadRuns(context, identity, runbook)).map(({ path: one }) => one);
  const latest = await latestRunsOf(engine, readable);
  for (const { listed, path } of found) listed.last = told(latest.get(path));
  return found.map(({ listed }) => listed);
}

function told(run: LatestRun | undefined): NonNullable<Listed['last']> | null {
  if (run === undefined) return null;
  const { runId, state, outcome, finishedAt } = run;
  return { run_id: runId, state, outcome, finished_at: finishedAt };
}

type Variable = { readonly name: string; readonly description: string };

/** As Stage0: what is set on the server is `available`. */
export function requiredEnvironment(
  { engine }: ServerContext,
  runbook: Runbook | null,
): { required: Variable[]; available: Variable[]; missing: Variable[] } {
  const env = runbook?.env ?? [];
  const { values } = resolveVariables(env, {
    given: new Map(),
    wanted: [],
    envFile: new Map(),
    caller: new Map([...engine.callerEnvironment].filter(([, value]) => value !== '')),
    generate: (length) => 'x'.repeat(length),
  });
  const shown = env.map(({ name, description }) => ({ name, description }));
  return {
    required: shown,
    available: shown.filter(({ name }) => values.has(name)),
    missing: shown.filter(({ name }) => !values.has(name)),
  };
}
