/** `?dry_run=true`: what a run would do and meet; nothing is started, asked or recorded. */
import type { FastifyRequest } from 'fastify';
import { planRun } from '../../engine/plan.ts';
import type { PlannedRefusal, PlannedStep, RunPlan } from '../../engine/planned.ts';
import type { ServerContext } from '../context.ts';
import { INNER, INNER_CODES } from '../problem.ts';
import { readRequest } from '../run-request.ts';
import type { Asked } from './asked.ts';

/** The document of `runbook plan --json`. @throws HttpError 404, 400 */
export async function planFor(
  context: ServerContext,
  request: FastifyRequest,
  name: string,
  asked: Asked,
): Promise<Readonly<Record<string, unknown>>> {
  const { runRequest } = await readRequest(context, request, name, asked);
  const plan = await planRun(context.engine, runRequest, await context.app.whyNoRun());
  return { schemaVersion: 1, command: 'plan', ...withoutPlaces(plan) };
}

/** Callers are not told where things are on the server. */
function withoutPlaces(plan: RunPlan): RunPlan {
  const { document, refusals, steps } = plan;
  return {
    ...plan,
    document: document === null ? null : { ...document, path: `${document.name}.md` },
    refusals: refusals.map(withoutPlace),
    steps: steps.map(withoutFolder),
  };
}

function withoutFolder(step: PlannedStep): PlannedStep {
  const inside = (words: readonly string[] | null): readonly string[] | null =>
    words?.map((word) => word.slice(Math.max(0, word.indexOf(WORK_FOLDER)))) ?? null;
  return { ...step, argv: inside(step.argv), doneWhenArgv: inside(step.doneWhenArgv) };
}

/** Begins its name, wherever it is made. */
const WORK_FOLDER = 'runbook-exec-';

function withoutPlace(refusal: PlannedRefusal): PlannedRefusal {
  const namesPlaces = INNER_CODES.has(refusal.code) && `${refusal.message} ${refusal.fix}`.includes('/');
  return namesPlaces ? { ...refusal, ...INNER } : refusal;
}
