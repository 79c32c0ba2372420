/** Leases, requests to cancel, and the switch that stops every beginning. Of every ledger. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunLedger } from '../../src/core/ports.ts';
import type { RunOwner, RunRecord } from '../../src/core/run.ts';
import {
  DOCUMENT,
  interruptionOf,
  operationOf,
  OWNER,
  queuedRun,
  REAPER,
  resultOf,
  runIdOf,
  timeOf,
} from '../helpers/records.ts';
import type { LedgerUnderTest } from './ledger.contract.ts';

const OTHER: RunOwner = { ...OWNER, pid: 815, startTime: '999' };

export function operationsContract(name: string, make: () => LedgerUnderTest): void {
  describe(`ledger contract, operations: ${name}`, () => {
    let subject: LedgerUnderTest;
    let ledger: RunLedger;
    /** Owners that are taken for dead, by their number. */
    let dead: Set<number>;
    beforeEach(() => {
      subject = make();
      dead = new Set();
      ledger = subject.open(({ pid }) => dead.has(pid));
    });
    afterEach(() => {
      ledger.close();
    });

    const enqueue = (n: number, change: Partial<RunRecord> = {}): Promise<void> =>
      ledger.enqueue(queuedRun(n, change), OWNER, DOCUMENT, timeOf(n + 30));
    const begin = (n: number): Promise<void> =>
      ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);

    test('of runs under way everything is known that is not in the chain, oldest first', async () => {
      for (const n of [1, 2, 3]) await enqueue(n);
      await ledger.enqueue(queuedRun(4), OTHER, DOCUMENT);
      for (const n of [1, 3]) await begin(n);
      await ledger.finish(runIdOf(1), resultOf(1));
      const progress = { step: 2, of: 3, name: 'Drain', at: timeOf(5) };
      await ledger.progress(runIdOf(3), progress);
      const cancel = operationOf(1, 'cancel', { run: runIdOf(2) });
      expect(await ledger.requestCancel(runIdOf(2), cancel)).toBe(true);

      const [second, third, fourth, ...others] = await ledger.underWay();
      expect(others).toEqual([]);
      expect(second).toMatchObject({ run: queuedRun(2), owner: OWNER, leaseUntil: timeOf(32), progress: null, cancel });
      expect(third).toMatchObject({ run: { runId: runIdOf(3), state: 'started' }, progress, cancel: null });
      expect(fourth).toMatchObject({ owner: OTHER, leaseUntil: null });
    });

    test('a lease is renewed while the run is under way, and never after', async () => {
      await enqueue(1);
      expect(await ledger.renewLease(runIdOf(1), timeOf(100))).toBe(true);
      expect(await ledger.underWay()).toMatchObject([{ leaseUntil: timeOf(100) }]);
      await begin(1);
      expect(await ledger.renewLease(runIdOf(1), timeOf(200))).toBe(true);
      await ledger.interrupt(runIdOf(1), interruptionOf(1));
      expect(await ledger.renewLease(runIdOf(1), timeOf(300))).toBe(false);
      expect(await ledger.renewLease(runIdOf(9), timeOf(300))).toBe(false);
    });

    test('a cancel reaches the owner once it is asked for, from another process as well, and is a link of the chain', async () => {
      await enqueue(1);
      await begin(1);
      expect(await ledger.cancelRequest(runIdOf(1))).toBeNull();
      const cancel = operationOf(1, 'cancel', { run: runIdOf(1), reason: 'the wrong host' });
      const other = subject.open();
      expect(await other.requestCancel(runIdOf(1), cancel)).toBe(true);
      expect(await ledger.cancelRequest(runIdOf(1))).toEqual([cancel]);
      await ledger.finish(runIdOf(1), resultOf(1, { outcome: 'canceled' }));
      expect(await other.requestCancel(runIdOf(1), operationOf(2, 'cancel', { run: runIdOf(1) }))).toBe(false);
      // The reason is for the owner, who knows what in it is a secret.
      expect(await ledger.operations(9)).toMatchObject([{ ...cancel, reason: null, seq: 3 }]);
      expect([...ledger.links()].map(({ record }) => record).join()).not.toContain('the wrong host');
      other.close();
      expect(subject.verify()).toBeNull();
    });

    test('while runs are paused none begins; who did it and why is said, and every change is on record', async () => {
      await enqueue(1);
      expect(await ledger.paused()).toBeNull();
      expect(await ledger.resume(operationOf(0, 'resume'))).toBe(false);
      await ledger.pause(operationOf(1, 'pause', { reason: 'the move of the database' }));
      expect(await subjectSees()).toEqual({
        since: timeOf(1),
        by: 'bob@ops-2',
        reason: 'the move of the database',
      });
      await expect(begin(1)).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('by bob@ops-2: the move of the database') as unknown,
      });
      await ledger.pause(operationOf(2, 'pause', { reason: 'still' }));
      expect(await ledger.resume(operationOf(3, 'resume'))).toBe(true);
      expect(await ledger.paused()).toBeNull();
      await begin(1);

      const operations = await ledger.operations(9);
      expect(operations.map(({ operation, seq }) => `${operation} ${seq}`)).toEqual(['resume 4', 'pause 3', 'pause 2']);
      expect(operations[2]).toEqual({
        ...operationOf(1, 'pause', { reason: 'the move of the database' }),
        seq: 2,
        hash: operations[2]?.hash,
      });
      expect(await ledger.operations(1)).toHaveLength(1);
      expect((await ledger.list({ limit: 9 })).map(({ runId }) => runId)).toEqual([runIdOf(1)]);
      expect(subject.verify()).toBeNull();
    });

    const subjectSees = async () => {
      const other = subject.open();
      const paused = await other.paused();
      other.close();
      return paused;
    };

    test('a run whose owner is dead does not count among those that run already', async () => {
      await enqueue(1);
      await begin(1);
      await ledger.enqueue(queuedRun(2), OTHER, DOCUMENT);
      const second = (): Promise<void> => ledger.begin(runIdOf(2), { startedAt: timeOf(2), containment: REAPER }, 1);
      await expect(second()).rejects.toMatchObject({ code: 'busy' });
      dead.add(OWNER.pid);
      await second();
    });

    test('tries a change and leaves nothing of it, whoever is there', async () => {
      await enqueue(1);
      const before = JSON.stringify([...ledger.links()]);
      await ledger.tryChange();
      expect(await ledger.paused()).toBeNull();
      expect(JSON.stringify([...ledger.links()])).toBe(before);
      const pause = operationOf(1, 'pause');
      await ledger.pause(pause);
      await ledger.tryChange();
      expect((await ledger.paused())?.since).toBe(pause.at);
    });
  });
}
