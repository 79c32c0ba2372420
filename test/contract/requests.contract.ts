/** Requests that name themselves, and answers to questions of runs. Of every ledger. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunLedger } from '../../src/core/ports.ts';
import type { RequestKey } from '../../src/core/request-key.ts';
import { DOCUMENT, interruptionOf, operationOf, OWNER, queuedRun, REAPER, resultOf } from '../helpers/records.ts';
import { runIdOf, timeOf } from '../helpers/records.ts';
import type { LedgerUnderTest } from './ledger.contract.ts';

const KEY: RequestKey = { issuer: 'idp', subject: 'anna', key: 'order-7', digest: 'a', since: timeOf(0) };

const keyOf = (n: number): RequestKey => ({ ...KEY, key: `order-${n}` });

export function requestsContract(name: string, make: () => LedgerUnderTest): void {
  describe(`ledger contract, requests: ${name}`, () => {
    let subject: LedgerUnderTest;
    let ledger: RunLedger;
    beforeEach(() => {
      subject = make();
      ledger = subject.open();
    });
    afterEach(() => {
      ledger.close();
    });

    const enqueue = async (n: number, key?: RequestKey, into = ledger): Promise<void> => {
      await into.enqueue(queuedRun(n), OWNER, DOCUMENT, undefined, key);
    };
    const begin = async (n: number): Promise<void> => {
      await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
    };

    test('of a key one run comes, also from another process, and nothing is kept of the second', async () => {
      await enqueue(1, KEY);
      const other = subject.open();
      await expect(enqueue(2, { ...KEY, digest: 'b' }, other)).rejects.toMatchObject({
        earlier: { runId: runIdOf(1), digest: 'a' },
      });
      expect(await other.runOfKey(KEY)).toEqual({ runId: runIdOf(1), digest: 'a' });
      other.close();
      expect(await ledger.get(runIdOf(2))).toBeNull();
      expect([...ledger.links()]).toHaveLength(1);
      expect(subject.verify()).toBeNull();
    });

    test('a key is that of its issuer and its subject', async () => {
      await enqueue(1, KEY);
      for (const [n, other] of [{ issuer: '' }, { subject: 'bob' }, { key: 'order-8' }].entries()) {
        expect(await ledger.runOfKey({ ...KEY, ...other })).toBeNull();
        await enqueue(n + 2, { ...KEY, ...other });
        expect(await ledger.runOfKey({ ...KEY, ...other })).toMatchObject({ runId: runIdOf(n + 2) });
      }
    });

    test('a key is forgotten after its time, to the millisecond', async () => {
      await enqueue(1, KEY);
      expect(await ledger.runOfKey({ ...KEY, since: timeOf(1) })).not.toBeNull();
      const later = { ...KEY, since: timeOf(1).replace('.123Z', '.124Z') };
      expect(await ledger.runOfKey(later)).toBeNull();
      await enqueue(2, later);
      expect(await ledger.runOfKey(KEY)).toMatchObject({ runId: runIdOf(2) });
    });

    test('a key of a run that will never begin is free again; of one that somebody has stopped it is not', async () => {
      const keys = [1, 2, 3, 4].map(keyOf);
      for (const [n, key] of keys.entries()) await enqueue(n + 1, key);
      await ledger.finish(runIdOf(1), resultOf(1, { outcome: 'canceled', exitCode: 75 }));
      await ledger.finish(runIdOf(2), resultOf(2, { outcome: 'canceled', signal: 'SIGTERM' }));
      await ledger.interrupt(runIdOf(3), interruptionOf(3));
      await begin(4);
      await ledger.interrupt(runIdOf(4), interruptionOf(4));
      const runs = await Promise.all(keys.map(async (key) => (await ledger.runOfKey(key))?.runId ?? null));
      expect(runs).toEqual([null, runIdOf(2), null, runIdOf(4)]);
    });

    test('a key of a run whose record was taken out is free again', async () => {
      await enqueue(1, KEY);
      await begin(1);
      await ledger.finish(runIdOf(1), resultOf(1));
      await ledger.prune([runIdOf(1)], operationOf(9, 'prune'));
      expect(await ledger.runOfKey(KEY)).toBeNull();
      await enqueue(2, KEY);
      expect(await ledger.runOfKey(KEY)).toMatchObject({ runId: runIdOf(2) });
    });

    test('an answer is on record while the run goes on and nobody wants its end, and only then', async () => {
      const answer = { step: 1, answer: 'yes' } as const;
      const by = { osUser: 'runbook', host: 'ops-1', subject: 'anna', issuer: 'idp' };
      const confirm = (n: number, run: number) =>
        ledger.confirm(runIdOf(run), { ...operationOf(n, 'confirm', { run: runIdOf(run), answer }), who: by });
      await enqueue(1);
      expect(await confirm(10, 1)).toBe(false);
      await begin(1);
      expect(await confirm(11, 1)).toBe(true);
      await ledger.requestCancel(runIdOf(1), operationOf(12, 'cancel', { run: runIdOf(1) }));
      expect(await confirm(13, 1)).toBe(false);
      await ledger.finish(runIdOf(1), resultOf(1));
      expect(await confirm(14, 1)).toBe(false);

      expect(await ledger.answersOf(runIdOf(1))).toMatchObject([{ operation: 'confirm', answer, who: by, seq: 3 }]);
      expect(await ledger.cancelsOf(runIdOf(1))).toMatchObject([{ operation: 'cancel' }]);
      expect((await ledger.operations(9)).map(({ operation }) => operation)).toEqual(['cancel', 'confirm']);
      // An operation is no run, whoever did it.
      expect(await ledger.get(operationOf(11, 'confirm').operationId)).toBeNull();
      expect(subject.verify()).toBeNull();
    });
  });
}
