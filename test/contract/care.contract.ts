/** What every ledger must do for runs that are under way, and for entries that are still to be written. */
import { afterEach, beforeEach, expect, describe, test } from 'vitest';
import type { Operation, RunLedger } from '../../src/core/ports.ts';
import type { Interruption, RunOwner, RunRecord } from '../../src/core/run.ts';
import { failureOf } from '../helpers/failure.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, resultOf, runIdOf, timeOf } from '../helpers/records.ts';

const OTHER: RunOwner = { ...OWNER, pid: 4712 };
const THIRD: RunOwner = { ...OWNER, pid: 4713 };
const STEP = { step: 0, of: 2, name: 'Drain', at: timeOf(2) };
const GONE: Interruption = { at: timeOf(5), reason: 'Gone.', progress: STEP, survivors: [], workFolder: null };
const REFUSAL = { code: 'forbidden', message: 'The token lacks the role.' } as const;
const cancelOf = (n: number): Operation => ({
  schemaVersion: 1,
  operationId: runIdOf(900 + n),
  operation: 'cancel',
  at: timeOf(9),
  who: { osUser: 'anna', host: 'ops-2' },
  toolVersion: '0.1.0',
  reason: null,
  run: runIdOf(n),
});

/** @param open the ledger of this test; owners with a pid in `gone` are dead */
export function careContract(ledgerName: string, open: (gone: ReadonlySet<number>) => RunLedger): void {
  describe(`ledger contract, care: ${ledgerName}`, () => {
    let gone: Set<number>;
    let ledger: RunLedger;
    beforeEach(() => {
      gone = new Set();
      ledger = open(gone);
    });
    afterEach(() => {
      ledger.close();
    });

    const begun = async (n: number, change: Partial<RunRecord> = {}): Promise<string> => {
      await ledger.enqueue(queuedRun(n, { historyMode: 'file', ...change }), OWNER, DOCUMENT, timeOf(60));
      await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
      return runIdOf(n);
    };
    const pending = async (): Promise<readonly string[]> => (await ledger.pendingEntries(9)).map(({ runId }) => runId);

    test('tells of each run that has not ended its owner, lease and step, and forgets them with its end', async () => {
      const [first, second] = [await begun(1), await begun(2)];
      await ledger.progress(first, STEP);
      expect(await ledger.renewLease(first, timeOf(90))).toBe(true);
      const [one, two, ...more] = await ledger.underWay();
      expect(one).toMatchObject({ run: { runId: first }, owner: OWNER, leaseUntil: timeOf(90), progress: STEP });
      expect(two).toMatchObject({ run: { runId: second }, leaseUntil: timeOf(60), progress: null, cancel: null });
      expect(more).toEqual([]);
      await ledger.finish(first, resultOf(1));
      expect(await ledger.interrupt(second, GONE)).toBe(true);
      expect(await ledger.underWay()).toEqual([]);
      for (const runId of [first, second]) expect(await ledger.renewLease(runId, timeOf(99))).toBe(false);
    });

    test('keeps an interruption as it was told, once, and no other end behind it', async () => {
      const runId = await begun(1);
      expect(await ledger.interrupt(runId, GONE)).toBe(true);
      const stored = await ledger.get(runId);
      expect(stored).toMatchObject({ state: 'interrupted', interruption: GONE, result: null });
      expect(await ledger.interrupt(runId, GONE)).toBe(false);
      expect(await failureOf(() => ledger.finish(runId, resultOf(1)))).toMatchObject({ code: 'io' });
      const change = { startedAt: timeOf(1), containment: REAPER };
      expect(await failureOf(() => ledger.begin(runId, change, null))).toMatchObject({ code: 'io' });
      expect(await ledger.get(runId)).toEqual(stored);

      await ledger.finish(await begun(2), resultOf(2));
      expect(await ledger.interrupt(runIdOf(2), GONE)).toBe(false);
      expect(await ledger.interrupt(runIdOf(3), GONE)).toBe(false);
    });

    test('hands a request to cancel to its run alone, and to none that has ended', async () => {
      for (const n of [1, 2]) await begun(n);
      expect(await ledger.cancelRequest(runIdOf(1))).toBeNull();
      expect(await ledger.requestCancel(runIdOf(1), cancelOf(1))).toBe(true);
      expect(await ledger.cancelRequest(runIdOf(2))).toBeNull();
      // Who did not hear may ask again.
      for (const _ of [1, 2]) expect(await ledger.cancelRequest(runIdOf(1))).toEqual([cancelOf(1)]);
      await ledger.interrupt(runIdOf(2), GONE);
      expect(await ledger.cancelRequest(runIdOf(2))).toBe('interrupted');
      await ledger.finish(runIdOf(1), resultOf(1));
      const length = [...ledger.links()].length;
      for (const n of [1, 2, 3]) expect(await ledger.requestCancel(runIdOf(n), cancelOf(n))).toBe(false);
      expect([...ledger.links()]).toHaveLength(length);
    });

    test('hands a request also to a run that has looked a moment before, through the same connection', async () => {
      await begun(1);
      expect(await ledger.cancelRequest(runIdOf(1))).toBeNull();
      expect(await ledger.requestCancel(runIdOf(1), cancelOf(1))).toBe(true);
      expect(await ledger.cancelRequest(runIdOf(1))).toEqual([cancelOf(1)]);
    });

    test('hands all requests to the run, oldest first, and knows afterwards whose they were', async () => {
      for (const n of [1, 2]) await begun(n);
      const asked = (n: number, reason: string): Operation => ({ ...cancelOf(1), operationId: runIdOf(n), reason });
      const [first, second, third] = [asked(901, 'first'), asked(902, 'second'), asked(903, 'third')];
      for (const one of [first, second]) expect(await ledger.requestCancel(runIdOf(1), one)).toBe(true);
      expect(await ledger.cancelRequest(runIdOf(1))).toEqual([first, second]);
      expect(await ledger.requestCancel(runIdOf(2), cancelOf(2))).toBe(true);
      expect(await ledger.requestCancel(runIdOf(1), third)).toBe(true);
      expect(await ledger.cancelRequest(runIdOf(1))).toEqual([first, second, third]);
      expect((await ledger.underWay()).map(({ cancel }) => cancel)).toEqual([third, cancelOf(2)]);
      const requests = async (n: number): Promise<readonly string[]> =>
        (await ledger.cancelsOf(runIdOf(n))).map(({ operationId }) => operationId);
      const all = [first, second, third].map(({ operationId }) => operationId);
      expect(await requests(1)).toEqual(all);
      await ledger.finish(runIdOf(1), resultOf(1, { outcome: 'canceled' }));
      await ledger.interrupt(runIdOf(2), GONE);
      await begun(3);
      await ledger.requestCancel(runIdOf(3), cancelOf(3));
      expect(await Promise.all([1, 2, 3, 4].map(requests))).toEqual([
        all,
        [cancelOf(2).operationId],
        [cancelOf(3).operationId],
        [],
      ]);
      expect(await ledger.cancelsOf(runIdOf(1))).toMatchObject([1, 2, 3].map(() => ({ reason: null })));
    });

    test('takes a process with the number of another one for another one', async () => {
      const again = (owner: RunOwner): RunOwner => ({ ...owner, startTime: '999999' });
      const runId = await begun(1);
      gone.add(OWNER.pid);
      expect(await ledger.claimRecovery(runId, OTHER, timeOf(60))).toBe(true);
      expect(await ledger.claimRecovery(runId, again(OTHER), timeOf(60))).toBe(false);
      await ledger.interrupt(runId, GONE);
      expect(await ledger.claimEntry(runId, again(OTHER))).toBe(false);
      expect(await ledger.claimEntry(runId, OTHER)).toBe(true);
      gone.delete(OWNER.pid);
      await ledger.finish(await begun(2), resultOf(2));
      expect(await ledger.claimEntry(runIdOf(2), again(OWNER))).toBe(false);
      expect(await ledger.claimEntry(runIdOf(2), OWNER)).toBe(true);
    });

    test('lets one recover a run: when its owner is gone, and another when that one is gone, too', async () => {
      const runId = await begun(1);
      expect(await ledger.claimRecovery(runId, OTHER, timeOf(60))).toBe(false);
      expect(await ledger.claimRecovery(runId, OWNER, timeOf(60))).toBe(false);
      gone.add(OWNER.pid);
      expect(await ledger.claimRecovery(runId, OTHER, timeOf(60))).toBe(true);
      expect(await ledger.claimRecovery(runId, OTHER, timeOf(60))).toBe(true);
      expect(await ledger.claimRecovery(runId, THIRD, timeOf(60))).toBe(false);
      gone.add(OTHER.pid);
      expect(await ledger.claimRecovery(runId, THIRD, timeOf(60))).toBe(true);
      await ledger.interrupt(runId, GONE);
      expect(await ledger.claimRecovery(runId, THIRD, timeOf(60))).toBe(false);
      // Who recovered it writes its entry.
      expect(await ledger.claimEntry(runId, OTHER)).toBe(false);
      expect(await ledger.claimEntry(runId, THIRD)).toBe(true);
    });

    test('wants entries of runs that began and of callers without the claims, in mode `file`, until they are written', async () => {
      await ledger.finish(await begun(1), resultOf(1));
      expect(await ledger.isEntryPending(runIdOf(1))).toBe(true);
      await ledger.finish(await begun(2, { historyMode: 'ledger' }), resultOf(2));
      await ledger.enqueue(queuedRun(3, { historyMode: 'file' }), OWNER, DOCUMENT);
      await ledger.interrupt(runIdOf(3), { ...GONE, progress: null });
      for (const [n, code] of [
        [4, 'forbidden'],
        [5, 'unauthenticated'],
      ] as const) {
        const runbook = { ...queuedRun(n).runbook, path: `/srv/runbooks/${code}.md` };
        const refusal = { ...REFUSAL, code };
        const record = queuedRun(n, { historyMode: 'file', state: 'refused', runbook, refusal });
        await ledger.refuse(record, DOCUMENT, OWNER);
      }
      expect(await pending()).toEqual([1, 4].map(runIdOf));
      expect(await ledger.claimEntry(runIdOf(2), OWNER)).toBe(false);
      for (const n of [1, 4]) {
        expect(await ledger.claimEntry(runIdOf(n), OTHER)).toBe(false);
        expect(await ledger.claimEntry(runIdOf(n), OWNER)).toBe(true);
        await ledger.entryWritten(runIdOf(n));
        expect(await ledger.isEntryPending(runIdOf(n))).toBe(false);
        expect(await ledger.claimEntry(runIdOf(n), OWNER)).toBe(false);
      }
      expect(await pending()).toEqual([]);
    });

    test('gives of each document the oldest entry that waits, oldest first', async () => {
      const at = (document: string): Partial<RunRecord> => ({
        runbook: { ...queuedRun(1).runbook, path: `/${document}.md` },
      });
      for (const [n, document] of ['b', 'b', 'a', 'b', 'a'].entries()) {
        await ledger.finish(await begun(n, at(document)), resultOf(n));
      }
      expect(await pending()).toEqual([0, 2].map(runIdOf));
      expect(await ledger.pendingEntries(1)).toHaveLength(1);
      await ledger.entryWritten(runIdOf(0));
      expect(await pending()).toEqual([1, 2].map(runIdOf));
    });
  });
}
