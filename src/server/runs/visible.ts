/**
 * Who may know of a run, and who may act on it: administrators, whoever started it, and whoever the runbook says; its
 * document of now counts, or the one that is recorded where it is not there any more. For others there is no such run.
 */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { authorize } from '../../core/claims.ts';
import { RunbookError } from '../../core/errors.ts';
import type { Identity } from '../../core/ports.ts';
import type { StoredRun } from '../../core/run.ts';
import type { Runbook } from '../../core/runbook.ts';
import { parseDocument } from '../../engine/document.ts';
import { isAdmin } from '../access.ts';
import type { ServerContext } from '../context.ts';
import { mayReadRuns } from '../documents.ts';
import { HttpError } from '../problem.ts';

type Asked = Pick<ServerContext, 'app' | 'engine' | 'settings'>;

/** For one caller; asks for each document once. */
export interface Visibility {
  mayRead(run: StoredRun): Promise<boolean>;
  /** End it, or answer its questions: whoever may execute its runbook. */
  mayAct(run: StoredRun): Promise<boolean>;
}

export function visibilityOf(context: Asked, identity: Identity): Visibility {
  const known = new Map<string, Promise<Runbook | null>>();
  const runbookOf = async ({ runbook: { path: file, digest } }: StoredRun): Promise<Runbook | null> => {
    const key = `${file ?? ''}\0${digest ?? ''}`;
    const found = known.get(key) ?? loadRunbook(context, file, digest);
    known.set(key, found);
    return await found;
  };
  const isOwn = ({ who }: StoredRun): boolean =>
    who.subject !== null && who.subject === identity.subject && who.issuer === identity.issuer;
  return {
    mayRead: async (run) =>
      isAdmin(context, identity) || isOwn(run) || mayReadRuns(context, identity, await runbookOf(run)),
    mayAct: async (run) => {
      if (isAdmin(context, identity) || isOwn(run)) return true;
      const runbook = await runbookOf(run);
      return runbook !== null && (runbook.claims === null || authorize(identity.claims, runbook.claims).allowed);
    },
  };
}

/** @throws HttpError 404 also for a run that is not for this caller */
export async function visibleRun(context: Asked, identity: Identity, runId: string): Promise<StoredRun> {
  const run = await context.engine.ledger.get(runId);
  if (run === null || !(await visibilityOf(context, identity).mayRead(run))) {
    throw new HttpError(404, 'not-found', 'There is no such run.', {
      fix: 'GET /api/runs shows those that there are for you.',
    });
  }
  return run;
}

/** Null: nobody but an administrator and its own caller may know of it. */
async function loadRunbook(
  { app, engine }: Asked,
  file: string | null,
  digest: string | null,
): Promise<Runbook | null> {
  // What is run elsewhere is none of this server's runbooks, whatever its document says.
  if (file === null || app.runbooksDir === null) return null;
  const name = path.basename(file);
  const document = await engine.source.load(name).catch((error: unknown) => {
    if (error instanceof RunbookError && error.code !== 'unavailable') return null;
    throw error;
  });
  if (document?.path === file) return parseDocument(engine, document).runbook;
  if (digest === null || !(await isBelow(app.runbooksDir, file))) return null;
  const bytes = await engine.ledger.documentText(digest);
  return bytes === null ? null : parseDocument(engine, { bytes, fileName: name }).runbook;
}

async function isBelow(folder: string, file: string): Promise<boolean> {
  const real = await realpath(folder).catch(() => folder);
  return path.dirname(file) === real;
}
