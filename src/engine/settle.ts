/** A copy of a ledger that somebody works with becomes a ledger of its own. */
import { RunbookError } from '../core/errors.ts';
import type { Operation, RunLedger } from '../core/ports.ts';
import type { RunRecord } from '../core/run.ts';
import { operationOf } from './operations.ts';
import type { OperationPorts } from './operations.ts';

export interface Settled {
  /** Folder of the ledger that it was copied from. */
  readonly from: string;
  /** Runs that were under way in it: interrupted, here alone. */
  readonly runIds: readonly string[];
}

/** Null where it lives here already. @throws RunbookError `io`, `busy` */
export async function settle(ports: OperationPorts): Promise<Settled | null> {
  const from = await ports.ledger.copyOf();
  if (from === null) return null;
  const operation = { ...operationOf(ports, 'move', null), reason: `copied from ${from}` };
  const reason = `It was under way when this ledger was copied from ${from}, which may know its end.`;
  const runIds = await ports.ledger.moveIn(operation, reason);
  return runIds === null ? null : { from, runIds };
}

/**
 * For who may come to change what is recorded, or may not: a copy stays one until then. Before that nobody looks after its
 * runs and entries, which are of another ledger; and a slip of the fingers makes no ledger of it.
 * @param tell hears of it, once; must not throw
 */
export async function settleAtFirstChange(ports: OperationPorts, tell: (settled: Settled) => void): Promise<RunLedger> {
  const { ledger } = ports;
  if ((await ledger.copyOf()) === null) return ledger;
  const isCopy = async (): Promise<boolean> => (await ledger.copyOf()) !== null;
  const settled = async (): Promise<Settled | null> => {
    const done = await settle(ports);
    if (done !== null) tell(done);
    return done;
  };
  /** What made a copy move comes after the move, also by its time. */
  const behindMove = async (operation: Operation): Promise<Operation> =>
    (await settled()) === null ? operation : { ...operation, at: ports.clock.now().toISOString() };
  return {
    ...ledger,
    enqueue: async (...args) => {
      await settled();
      await ledger.enqueue(...args);
    },
    refuse: async (record, ...rest) => {
      const from = await ledger.copyOf();
      if (from !== null && isSlip(record)) throw notItsOwn(from);
      await settled();
      await ledger.refuse(record, ...rest);
    },
    pause: async (operation) => {
      await ledger.pause(await behindMove(operation));
    },
    resume: async (operation) => {
      if ((await ledger.paused()) === null) return false;
      return await ledger.resume(await behindMove(operation));
    },
    prune: async (runIds, operation) => await ledger.prune(runIds, await behindMove(operation)),
    forgetEntry: async (runId) => {
      await settled();
      await ledger.forgetEntry(runId);
    },
    claimRecovery: async (...args) => !(await isCopy()) && (await ledger.claimRecovery(...args)),
    claimEntry: async (...args) => !(await isCopy()) && (await ledger.claimEntry(...args)),
  };
}

/** Nobody asked for anything that there is: a name that is none, words that make no sense. */
function isSlip({ refusal }: RunRecord): boolean {
  return refusal?.code === 'not-found' || refusal?.code === 'usage';
}

function notItsOwn(from: string): RunbookError {
  return new RunbookError('unavailable', `This is a copy of the ledger of ${from}, and nothing was run in it yet.`, {
    fix: 'It is one of its own as soon as something is run in it.',
  });
}
