/**
 * What a run would do and meet, without one: the same checks in the same order as `execute`, and nothing is started,
 * written or asked. Where `execute` stops at the first refusal, this goes on, so that all of them are told at once.
 */
import type { Containment } from '../core/containment.ts';
import { RunbookError } from '../core/errors.ts';
import { refuseGiven } from '../core/given.ts';
import { warnOfSlips } from '../core/misspelt.ts';
import type { LoadedDocument } from '../core/ports.ts';
import type { RunRequest } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import { isUnderWay } from '../core/run-state.ts';
import { chooseSteps } from '../core/step-choice.ts';
import { authenticate, checkCallChain, checkClaims } from './access.ts';
import type { Authentication } from './access.ts';
import { mayAsk } from './ask-variables.ts';
import { findEarlierRun, noticesOfEarlier } from './continuation.ts';
import { checkDocument, warningsOf } from './document.ts';
import { startDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { foreseeEnclosure } from './enclosure.ts';
import { decideLimits } from './limits.ts';
import { describeClaims, describeDocument, describeWho, maskPlan } from './planned-access.ts';
import { describeLimits, describeSteps, environmentNames, unknownOf } from './planned-steps.ts';
import { describeVariables } from './planned-variables.ts';
import type { RunPlan } from './planned.ts';
import { nothingLeft } from './place.ts';
import type { EnginePorts } from './ports.ts';
import { checkStubs } from './rehearsal.ts';
import { findRequirements, planOf, problemsOf, refuseVisibleSecrets, takeVariables, unmet } from './requirements.ts';
import type { FoundRequirements } from './requirements.ts';
import { decideRecord } from './room.ts';
import { missingOutputs } from './step-outputs.ts';

type Described = Omit<RunPlan, 'wouldRun' | 'exitCode' | 'refusals' | 'rehearsal' | 'document' | 'who'>;

/** Keeps what is refused and goes on; anything that is no refusal is thrown. */
class Refusals {
  readonly all: RunbookError[] = [];

  async of<T>(work: () => T | Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RunbookError)) throw error;
      // The same cause may be met in two places.
      if (!this.all.some(({ message }) => message === error.message)) this.all.push(error);
      return null;
    }
  }
}

/**
 * `interaction` of the request only says that somebody could be asked.
 * @param obstacle what a run would be refused with before it is looked at, as for a ledger that cannot be written
 * @throws nothing that a run would be refused with
 */
export async function planRun(
  ports: EnginePorts,
  request: RunRequest,
  obstacle: RunbookError | null = null,
): Promise<RunPlan> {
  const draft = startDraft(ports, request);
  const refusals = new Refusals();
  if (obstacle !== null) refusals.all.push(obstacle);
  // What is not known cannot be masked.
  await refusals.of(async () => {
    await ports.ownSecrets.read();
  });
  const rehearsal = await refusals.of(async () => await checkStubs(ports, request));
  const authentication = (await refusals.of(async () => await authenticate(ports, draft))) ?? UNKNOWN;
  const document = (draft.document = await refusals.of(async () => await ports.source.load(request.reference)));
  const runbook = document && (await refusals.of(() => checkDocument(ports, document, draft)));
  const described =
    document === null || runbook === null
      ? NOTHING
      : await describeRun(ports, draft, document, runbook, authentication, refusals);
  if (described === NOTHING) await admit(ports, draft, null, refusals);
  const [first] = refusals.all;
  return maskPlan(draft.masker, {
    ...described,
    wouldRun: first === undefined,
    exitCode: first?.exitCode ?? 0,
    refusals: refusals.all.map(({ code, exitCode, message, fix, problems }) => ({
      code,
      exitCode,
      message,
      fix,
      problems,
    })),
    rehearsal: request.stubs !== null,
    document: document && (await describeDocument(ports, draft, document)),
    who: describeWho(ports, draft),
    warnings: [...(rehearsal === null ? [] : [rehearsal]), ...described.warnings],
  });
}

const UNKNOWN: Authentication = { identity: null, failed: null };

const NOTHING: Described = {
  claims: null,
  variables: [],
  inputs: [],
  interpreters: [],
  steps: [],
  choice: null,
  limits: [],
  containment: null,
  environment: [],
  history: null,
  continues: null,
  warnings: [],
  infos: [],
  unknown: [],
};

async function describeRun(
  ports: EnginePorts,
  draft: Draft,
  document: LoadedDocument,
  runbook: Runbook,
  authentication: Authentication,
  refusals: Refusals,
): Promise<Described> {
  const { request } = draft;
  await refusals.of(() => {
    checkCallChain(ports, request, document);
  });
  const isAllowed = await refusals.of(() => {
    checkClaims(authentication, runbook, draft);
    return true;
  });
  const claims = describeClaims(authentication, runbook, request);
  // To a caller from elsewhere nothing is told that a run would not have told; who is at the terminal has the document.
  if (isAllowed === null && request.source === 'api') return { ...NOTHING, claims };
  const chosen = await refusals.of(() => chooseSteps(runbook, request.choice));
  const steps = chosen ?? chooseSteps(runbook, null);
  draft.choice = steps.chosen;
  await refusals.of(() => {
    refuseGiven(request, ports.openNames);
  });
  await refusals.of(() => {
    refuseVisibleSecrets(request, runbook);
  });
  const found = await findRequirements(ports, document, runbook, steps, request);
  const unmaskable = (await refusals.of(() => takeVariables(ports, draft, found))) ?? [];
  if (chosen !== null) await refusals.of(() => refuseUnmet(found, document, request));

  const plan = planOf(ports, runbook, steps, request, found, unmaskable);
  const earlier = await refusals.of(async () => await findEarlierRun(ports, draft, runbook));
  const reason = await refusals.of(async () => await decideRecord(ports, draft, document));
  const enclosure = await refusals.of(async () => await foreseeEnclosure(ports, request, plan, runbook));
  await refusals.of(() => {
    if (enclosure !== null && enclosure.refusal !== null) throw enclosure.refusal;
  });
  const folder = await refusals.of(async () => await ports.workspace.foresee());
  await admit(ports, draft, plan.concurrency, refusals);

  const { infos, warnings } = noticesOfEarlier(earlier, runbook, draft);
  const from = earlier?.obstacle === null ? earlier.run : null;
  // Of one without an end the folder is kept by whoever looks after it first, as a run does.
  const isMissed =
    from !== null && !isUnderWay(from.state) && !(await ports.workspace.isKept(from.runId, ports.clock.now()));
  const continues = from !== null && !isMissed;
  // Of an earlier run it is not known yet what it passed on.
  const unmade = continues ? null : missingOutputs(runbook.steps.slice(0, steps.first), plan.passedOn);
  const context = { ports, draft, document, runbook, plan, found, steps, folder };
  return {
    claims,
    variables: describeVariables(context, continues),
    inputs: plan.inputs.map(({ path, line }) => ({ path, line, found: found.facts.inputs.get(path) ?? 'missing' })),
    interpreters: [...found.facts.interpreters].map(([name, path]) => ({ name, path })),
    steps: describeSteps(context),
    choice: steps.chosen,
    limits: describeLimits(decideLimits(ports.limits, request, runbook.limits), enclosure?.foreseen ?? null),
    containment: enclosure && withoutGroups(enclosure.foreseen.containment),
    environment: environmentNames(context),
    history: { mode: draft.historyMode, reason },
    continues: earlier && { runId: earlier.run.runId, obstacle: earlier.obstacle },
    warnings: [
      ...warningsOf(draft),
      ...unmaskable,
      ...warnOfSlips(request, runbook, found.values, document.displayPath),
      ...warnings,
      ...(isMissed ? [nothingLeft(from.runId)] : []),
      ...[enclosure?.warning ?? null, unmade].filter((text) => text !== null),
    ],
    infos,
    unknown: unknownOf(context, { isChosen: chosen !== null, continues }),
  };
}

/** What nobody gives may be asked for where somebody is there. */
function refuseUnmet(found: FoundRequirements, document: LoadedDocument, request: RunRequest): void {
  const missing = mayAsk(request) ? [] : found.missing;
  const problems = problemsOf(found, missing, request);
  if (problems.length > 0) throw unmet(problems, document);
}

/** The switch, and the runs that are under way. Of a copy of a ledger none is under way here. */
async function admit(
  { ledger }: EnginePorts,
  { document }: Draft,
  concurrency: number | null,
  refusals: Refusals,
): Promise<void> {
  const answer = await refusals.of(async () => {
    const isCopy = (await ledger.copyOf()) !== null;
    return await ledger.admission(document?.path ?? null, isCopy ? null : concurrency);
  });
  refusals.all.push(...(answer ?? []));
}

function withoutGroups({ rung, reaper, refused }: Containment): RunPlan['containment'] {
  return { rung, reaper, refused };
}
