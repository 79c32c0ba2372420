/** What the scripts of a run live in, and what is said of it before anything starts. */
import type { ContainmentProof } from '../core/containment.ts';
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { Enclosure, Foreseen } from '../core/ports.ts';
import type { RunEventSink, RunRequest } from '../core/run.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Draft } from './draft.ts';
import { notify } from './notices.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';

/** @throws RunbookError `unavailable`: weaker than required, or a limit that cannot be held under `strict` */
export async function openEnclosure(
  { executor }: EnginePorts,
  { runId, request }: Draft,
  { plan, runbook }: { readonly plan: Plan; readonly runbook: Runbook },
  emit: RunEventSink,
): Promise<Enclosure> {
  const enclosure = await executor.open({ runId, limits: plan.limits, terminal: wantsTerminal(runbook) });
  const unheld = whatIsUnheld(enclosure);
  if (unheld === null) return enclosure;
  if (!request.strict) {
    await emit({ type: 'notice', runId, level: 'warning', message: unheld.message });
    return enclosure;
  }
  await enclosure.close();
  throw unheld;
}

/** What `open` would come to: the same answer, and the same refusals, without it. */
export async function foreseeEnclosure(
  { executor }: Pick<EnginePorts, 'executor'>,
  { strict }: Pick<RunRequest, 'strict'>,
  { limits }: Pick<Plan, 'limits'>,
  runbook: Runbook,
): Promise<{ readonly foreseen: Foreseen; readonly warning: string | null; readonly refusal: RunbookError | null }> {
  const foreseen = await executor.foresee({ limits, terminal: wantsTerminal(runbook) });
  const unheld = whatIsUnheld(foreseen);
  if (strict) return { foreseen, warning: null, refusal: unheld };
  return { foreseen, warning: unheld?.message ?? null, refusal: null };
}

function wantsTerminal({ steps }: Runbook): boolean {
  return steps.some((step) => step.tty);
}

/** A refusal under `strict`, else only its sentence counts; null where every limit is held. */
function whatIsUnheld({ unenforced, containment }: Foreseen): RunbookError | null {
  if (unenforced.length === 0) return null;
  const which = unenforced.map((limit) => `\`${limit}\``).join(' and ');
  const what = `${unenforced.length === 1 ? 'The limit' : 'The limits'} ${which} cannot be held here: ${why(containment)}.`;
  return new RunbookError('unavailable', what, {
    fix: 'Run it where a control group can be made (docs/containment.md), or without --strict.',
  });
}

function why({ rung, refused }: Enclosure['containment']): string {
  return rung === 'cgroup' ? 'the control group has no such limit' : refused.join('; ');
}

/** Never throws: whatever is wrong with it, the end of the run is recorded. */
export async function closeEnclosure(
  enclosure: Enclosure,
  draft: Draft,
  emit: RunEventSink,
): Promise<ContainmentProof> {
  const proof = await enclosure
    .close()
    .catch((error: unknown): ContainmentProof => ({ claim: 'best effort', reason: messageOf(error) }));
  const doubt = `It is not proven that nothing of the run was left behind: ${proof.reason ?? ''}`;
  await notify(draft, emit, 'info', [proof.claim === 'proven' ? null : doubt]);
  return proof;
}
