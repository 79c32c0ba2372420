/**
 * Looking after runs whose owner is gone: their processes are ended, what lies about is cleared away, the ledger says that
 * they were interrupted, and documents get the entries that they still lack. Nothing is ever run again.
 *
 * Every step can be repeated, and the ledger says only at the end that it was done: whoever dies at it is followed by the
 * next who looks. It costs two small queries and a look at the names of a folder where there is nothing to do.
 */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import { placeOf } from '../core/interruption.ts';
import type { RunLedger, RunUnderWay } from '../core/ports.ts';
import type { LeftOutput, StoredRun, Survivor } from '../core/run.ts';
import { describeInterruption } from './entry.ts';
import { leftOutput } from './intact.ts';
import { leaseUntil } from './lease.ts';
import type { EnginePorts } from './ports.ts';
import { writeWaiting } from './projection.ts';
import type { ProjectionPorts } from './projection.ts';
import { sweepFolders } from './work-folder.ts';

export type RecoveryPorts = ProjectionPorts & Pick<EnginePorts, 'executor' | 'workspace'>;

/** Hears a sentence for a person; must not throw. `interrupted`: the run whose end it tells. */
export type Tell = (warning: string, interrupted?: string) => Promise<void>;

/** More documents than this do not get their entries at once. */
const MAX_DOCUMENTS = 1000;

/** So long an entry waits for its document; then nobody makes that writable any more. */
const ENTRIES_WAIT_MS = 30 * 24 * 3_600_000;

const atWork = new WeakMap<RunLedger, Promise<void>>();

/** Never throws: what cannot be done now is told, and done by the next who looks. */
export async function recover(ports: RecoveryPorts, tell: Tell): Promise<void> {
  const { ledger } = ports;
  // Of one process, one at a time; runs of a server all look after the same ones.
  const work = atWork.get(ledger) ?? lookAfterAll(ports, tell).finally(() => atWork.delete(ledger));
  atWork.set(ledger, work);
  await work;
}

async function lookAfterAll(ports: RecoveryPorts, tell: Tell): Promise<void> {
  await attempt('Runs whose owner is gone could not be looked after', tell, async () => {
    for (const one of await ports.ledger.underWay()) {
      const reason = ports.owners.whyGone(one.owner, one.leaseUntil, ports.clock.now());
      if (reason === null) continue;
      await attempt(`Run ${one.run.runId}, whose owner is gone, could not be looked after`, tell, async () => {
        await interrupt(ports, one, reason, tell);
      });
    }
  });
  await attempt('What lies about of work folders could not be cleared away', tell, async () => {
    await sweepFolders(ports);
  });
  await attempt('Documents could not get the entries that they still lack', tell, async () => {
    await writeEntries(ports, tell);
  });
}

async function interrupt(
  ports: RecoveryPorts,
  { run, owner, progress }: RunUnderWay,
  reason: string,
  tell: Tell,
): Promise<void> {
  const { ledger, executor, owners, clock } = ports;
  const { runId } = run;
  if (!(await ledger.claimRecovery(runId, owners.current, leaseUntil(ports)))) return;
  let survivors: readonly Survivor[] | null = null;
  let cgroups: readonly string[] = [];
  // Of another machine, or another PID namespace, nothing can be seen from here; of an earlier boot nothing is left.
  const isOfThisBoot = owner.bootId === owners.current.bootId;
  const isOfEarlierBoot = !isOfThisBoot && owner.host === owners.current.host;
  const canBeSeen = isOfThisBoot && owner.pidNamespace === owners.current.pidNamespace;
  if (isOfEarlierBoot) survivors = [];
  if (canBeSeen)
    await attempt(`Processes of run ${runId} may be left`, tell, async () => {
      ({ survivors, cgroups } = await executor.endLeftovers(runId, run.containment));
    });
  let output: LeftOutput | null = null;
  // Where only its lease says that the owner is gone, it may still write.
  if (isOfEarlierBoot || canBeSeen)
    await attempt(`The output of run ${runId} could not be read`, tell, async () => {
      output = await leftOutput(ports.output, runId);
    });
  let workFolder: string | null = null;
  await attempt(`What run ${runId} left in its work folder could not be cleared away`, tell, async () => {
    workFolder = await clearAway(ports, run);
  });
  const at = clock.now().toISOString();
  const interruption = { at, reason, ...placeOf(progress), survivors, workFolder, output };
  if (!(await ledger.interrupt(runId, interruption))) return;
  await tell(
    `Run ${runId} of ${run.runbook.name}: ${describeInterruption(interruption)}${describeLeft(survivors, cgroups)}`,
    runId,
  );
}

function describeLeft(survivors: readonly Survivor[] | null, cgroups: readonly string[]): string {
  const processes =
    survivors === null
      ? ' Whether processes of it are left could not be looked at.'
      : survivors.length === 0
        ? ''
        : ` ${survivors.length} of its processes could not be ended.`;
  const groups = cgroups.length === 0 ? '' : ` A control group of it could not be removed: ${cgroups.join(', ')}.`;
  return `${processes}${groups}`;
}

/** @returns where the work folder of a run that had begun is kept */
async function clearAway({ workspace }: RecoveryPorts, run: RunUnderWay['run']): Promise<string | null> {
  const { runId, state, continues, rehearsal, keepWorkFolder = 'failed' } = run;
  const isKept = keepWorkFolder === 'always' || (keepWorkFolder === 'failed' && !rehearsal);
  if (state === 'started') return await workspace.recover(runId, isKept);
  if (continues === undefined || (await workspace.recover(runId, true)) === null) {
    await workspace.recover(runId, false);
    return null;
  }
  // It had not begun, so the folder that it had taken over is still for whoever goes on from the earlier run.
  const earlier = await workspace.adopt(continues, runId, new AbortController().signal);
  await earlier?.folder.keep(earlier.outputs);
  return null;
}

/** A document whose oldest entry cannot be written is left alone until the next time. */
async function writeEntries(ports: RecoveryPorts, tell: Tell): Promise<void> {
  const latest = new Date(ports.clock.now().getTime() - ENTRIES_WAIT_MS).toISOString();
  const stuck = new Set<string | null>();
  for (;;) {
    const waiting = await ports.ledger.pendingEntries(MAX_DOCUMENTS);
    const next = waiting.filter(({ runbook }) => !stuck.has(runbook.path));
    if (next.length === 0) return;
    for (const run of next) {
      const isWritten = await writeWaiting(ports, run).catch(async (error: unknown) => {
        // It was told when the run ended, and `runbook history RUN` says it for as long as it is so.
        if (error instanceof RunbookError && error.code !== 'busy')
          return endOf(run) < latest && (await giveUp(ports, run, error, tell));
        // Whoever waits for a locked ledger waits for each document anew.
        throw error;
      });
      if (!isWritten) stuck.add(run.runbook.path);
    }
  }
}

function endOf({ result, interruption, enqueuedAt }: StoredRun): string {
  return result?.finishedAt ?? interruption?.at ?? enqueuedAt;
}

/** Without an end to it the run could never be taken out of the ledger. @returns true */
async function giveUp({ ledger }: RecoveryPorts, run: StoredRun, why: Error, tell: Tell): Promise<true> {
  await ledger.forgetEntry(run.runId);
  await tell(
    `The entry of run ${run.runId} is given up, which its document has waited for since ${endOf(run)}: ${why.message} The run is in the ledger.`,
  );
  return true;
}

/** What another process holds is looked at again the next time, without a word. */
async function attempt(what: string, tell: Tell, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RunbookError && error.code === 'busy')) await tell(`${what}: ${messageOf(error)}`);
  }
}
