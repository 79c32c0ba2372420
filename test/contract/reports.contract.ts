/** Runs that took place elsewhere: what every ledger must do with them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChainAudit } from '../../src/core/audit.ts';
import type { AttestedRecord, RunLedger } from '../../src/core/ports.ts';
import type { RunRecord } from '../../src/core/run.ts';
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

const ATTESTED = { by: 'alice', issuer: 'https://login.example', at: timeOf(500), host: '192.0.2.9' };
const REFUSAL = { code: 'forbidden', message: 'The token lacks the role.' } as const;

/** As it is sent: with its end. */
function reported(n: number, change: Partial<RunRecord> = {}): AttestedRecord {
  const ended = { state: 'finished', startedAt: timeOf(n), containment: REAPER, result: resultOf(n) } as const;
  return { ...queuedRun(n, { historyMode: 'file', ...ended, ...change }), attested: ATTESTED };
}
const refused = (n: number): AttestedRecord =>
  reported(n, { state: 'refused', startedAt: null, result: null, refusal: REFUSAL });
const interrupted = (n: number): AttestedRecord =>
  reported(n, { state: 'interrupted', result: null, interruption: interruptionOf(n) });

export function reportsContract(name: string, make: () => LedgerUnderTest): void {
  describe(`reports contract: ${name}`, () => {
    let subject: LedgerUnderTest;
    let ledger: RunLedger;
    beforeEach(() => {
      subject = make();
      ledger = subject.open();
    });
    afterEach(() => {
      ledger.close();
    });

    const findings = (): readonly string[] => {
      const view = subject.view();
      try {
        const audit = createChainAudit(view.operations());
        const wrong = [...view.links()].map((link) => audit.take(link)).filter((one) => one !== null);
        return [...wrong, ...view.discrepancies()].map(({ message }) => message);
      } finally {
        view.close();
      }
    };

    test('each is one link of the chain, exactly as it was told, with who attests it', async () => {
      const all = [reported(1), refused(2), interrupted(3)];
      for (const record of all) expect(await ledger.report(record, DOCUMENT)).toBe('recorded');
      for (const [n, record] of all.entries()) {
        const stored = await ledger.get(record.runId);
        expect(stored).toStrictEqual({ ...record, seq: n + 1, prev: stored?.prev, hash: stored?.hash });
      }
      expect((await ledger.list({ limit: 9 })).map(({ runId }) => runId)).toEqual([3, 2, 1].map(runIdOf));
      expect(await ledger.list({ outcome: 'succeeded', subject: 'alice', limit: 9 })).toHaveLength(1);
      expect(await ledger.documentText(all[0]?.runbook.digest ?? '')).toEqual(DOCUMENT);
      expect(subject.verify()).toBeNull();
      expect(findings()).toEqual([]);
    });

    test('the same again is known, whoever attests it then; another one with that id is not taken', async () => {
      await ledger.report(reported(1), DOCUMENT);
      const again = { ...reported(1), attested: { ...ATTESTED, by: 'bob', at: timeOf(900) } };
      expect(await ledger.report(again, DOCUMENT)).toBe('known');
      expect(await ledger.report(reported(1, { incident: 'INC-1' }), DOCUMENT)).toBe('other');
      expect(await ledger.get(runIdOf(1))).toMatchObject({ seq: 1, attested: ATTESTED, incident: null });

      await ledger.enqueue(queuedRun(2), OWNER, DOCUMENT);
      expect(await ledger.report(reported(2), DOCUMENT)).toBe('other');
      expect(await ledger.get(runIdOf(2))).toMatchObject({ seq: 2, state: 'queued' });
    });

    test('one that has not ended is not taken, and of one that was nothing more becomes', async () => {
      for (const state of ['queued', 'started'] as const)
        await expect(ledger.report(reported(1, { state, result: null }), DOCUMENT)).rejects.toThrow('has not ended');
      expect(await ledger.get(runIdOf(1))).toBeNull();

      for (const record of [reported(1), interrupted(2), refused(3)]) {
        await ledger.report(record, DOCUMENT);
        const { runId } = record;
        await expect(ledger.finish(runId, { ...resultOf(1), runId })).rejects.toThrow(/cannot go|counts as/);
        await expect(ledger.enqueue({ ...record, state: 'queued' }, OWNER, DOCUMENT)).rejects.toThrow('cannot go');
        expect(await ledger.interrupt(runId, interruptionOf(1))).toBe(false);
        expect(await ledger.requestCancel(runId, operationOf(1, 'cancel', { run: runId }))).toBe(false);
        expect(await ledger.claimRecovery(runId, OWNER, timeOf(999))).toBe(false);
        expect(await ledger.claimEntry(runId, OWNER)).toBe(false);
        expect(await ledger.isEntryPending(runId)).toBe(false);
      }
      expect(await ledger.underWay()).toEqual([]);
      expect(await ledger.pendingEntries(9)).toEqual([]);
      expect(findings()).toEqual([]);
    });

    test('none is taken for a run of a document of this machine, nor is its output looked for', async () => {
      const path = queuedRun(1).runbook.path ?? '';
      for (const record of [reported(1), reported(2, { result: resultOf(2, { outcome: 'failed' }) }), interrupted(3)])
        await ledger.report(record, DOCUMENT);
      expect(await ledger.latestOf([path])).toEqual(new Map());
      expect(await ledger.list({ path, limit: 9 })).toEqual([]);
      expect(await ledger.list({ path, incomplete: true, limit: 9 })).toEqual([]);
      for await (const run of ledger.searchOutput('hello', { limit: 9 })) expect.fail(run.runId);
      const view = subject.view();
      expect([...view.recordedFiles()]).toEqual([]);
      view.close();
    });

    test('its text is kept under its digest, or not at all; a record that came without it is whole', async () => {
      await expect(ledger.report(reported(1), Buffer.from('another'))).rejects.toThrow(TypeError);
      expect(await ledger.get(runIdOf(1))).toBeNull();
      const without = { ...reported(1), attested: { ...ATTESTED, withoutDocument: true as const } };
      await ledger.report(without, null);
      expect(subject.countDocuments()).toBe(0);
      expect(findings()).toEqual([]);
    });

    test('who says of a run that it was attested, and gives it a story, is found', async () => {
      const record = { ...queuedRun(1), attested: ATTESTED };
      await ledger.enqueue(record, OWNER, DOCUMENT);
      await ledger.begin(runIdOf(1), { startedAt: timeOf(1), containment: REAPER }, null);
      await ledger.finish(runIdOf(1), resultOf(1));
      expect(findings()).toEqual([
        `Run ${runIdOf(1)} has records that do not follow one another, or that cannot be read.`,
      ]);
    });

    test('it can be taken out like any other', async () => {
      await ledger.report(reported(1), DOCUMENT);
      expect(await ledger.endedBefore(timeOf(900))).toHaveLength(1);
      await ledger.prune([runIdOf(1)], operationOf(1, 'prune'));
      expect(await ledger.forgetDocuments()).toBe(1);
      expect(await ledger.get(runIdOf(1))).toBeNull();
      expect(findings()).toEqual([]);
    });
  });
}
