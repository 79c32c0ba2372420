/** The whole of a ledger: walked, copied, and what nobody needs any more taken out. Of every ledger. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunLedger } from '../../src/core/ports.ts';
import { auditRecord } from '../../src/engine/audit.ts';
import type { AuditReport } from '../../src/engine/audit.ts';
import {
  DOCUMENT,
  interruptionOf,
  operationOf,
  OWNER,
  queuedRun,
  REAPER,
  recordRun,
  resultOf,
  runIdOf,
  sha256,
  timeOf,
} from '../helpers/records.ts';
import type { LedgerUnderTest } from './ledger.contract.ts';

export function upkeepContract(name: string, make: () => LedgerUnderTest): void {
  describe(`ledger contract, upkeep: ${name}`, () => {
    let subject: LedgerUnderTest;
    let ledger: RunLedger;
    beforeEach(() => {
      subject = make();
      ledger = subject.open();
    });
    afterEach(() => {
      ledger.close();
    });

    const prune = (n: number, ...runs: readonly number[]) => ledger.prune(runs.map(runIdOf), operationOf(n, 'prune'));
    const audit = (copy?: string): AuditReport => {
      const view = subject.view(copy);
      try {
        return auditRecord(view, []);
      } finally {
        view.close();
      }
    };
    const found = async (text: string): Promise<readonly string[]> => {
      const runs: string[] = [];
      for await (const { runId } of ledger.searchOutput(text, { limit: 9 })) runs.push(runId);
      return runs;
    };
    const listed = async (): Promise<readonly number[]> =>
      (await ledger.list({ limit: 99 })).map(({ runId }) => Number(runId.slice(6)));

    test('gives its links in order, from behind any of them', async () => {
      await recordRun(ledger, 1);
      await ledger.pause(operationOf(1, 'pause'));
      const all = [...ledger.links()];
      expect(all.map(({ seq, runId, state }) => [seq, runId, state])).toEqual([
        [1, runIdOf(1), 'queued'],
        [2, runIdOf(1), 'started'],
        [3, runIdOf(1), 'finished'],
        [4, operationOf(1, 'pause').operationId, 'done'],
      ]);
      expect([...ledger.links(2)]).toEqual(all.slice(2));
      expect([...ledger.links(4)]).toEqual([]);
    });

    test('what ended before a time: not what goes on, nor what ended only after it; and which document waits for its entry', async () => {
      await recordRun(ledger, 1);
      await recordRun(ledger, 2, { historyMode: 'file' });
      await ledger.enqueue(queuedRun(3), OWNER, DOCUMENT);
      await recordRun(ledger, 4, {}, { finishedAt: timeOf(50) });
      await ledger.refuse(
        queuedRun(5, { state: 'refused', refusal: { code: 'unauthenticated', message: 'No token.' } }),
        null,
        OWNER,
      );
      await recordRun(ledger, 6);
      const before = async (n: number): Promise<readonly string[]> =>
        (await ledger.endedBefore(timeOf(n))).map(({ runId, waitsFor }) =>
          waitsFor === null ? runId : `${runId} ${waitsFor}`,
        );
      const waiting = `${runIdOf(2)} ${queuedRun(2).runbook.path ?? ''}`;
      expect(await before(6)).toEqual([runIdOf(1), waiting, runIdOf(5)]);
      expect(await before(51)).toEqual([runIdOf(1), waiting, ...[4, 5, 6].map(runIdOf)]);
      await ledger.forgetEntry(runIdOf(1));
      await ledger.forgetEntry(runIdOf(2));
      expect(await before(6)).toEqual([1, 2, 5].map(runIdOf));
      expect(await ledger.isEntryPending(runIdOf(2))).toBe(false);
      expect(audit().findings).toEqual([]);
    });

    test('takes runs out: nothing knows them, the chain holds, and what was done is on record', async () => {
      for (const n of [1, 2, 3, 4]) await recordRun(ledger, n);
      await ledger.indexOutput(runIdOf(2), 'a needle');
      const last = [...ledger.links()].at(-1);
      expect(await prune(9, 2, 3)).toMatchObject({ runIds: [2, 3].map(runIdOf), ranges: [[4, 9]] });

      expect(await listed()).toEqual([4, 1]);
      expect(await ledger.get(runIdOf(2))).toBeNull();
      expect(await found('needle')).not.toContain(runIdOf(2));
      const links = [...ledger.links()];
      const gone = { runId: '', state: '', at: '', record: '' };
      expect(links.slice(3, 9)).toMatchObject(Array.from({ length: 6 }, () => gone));
      expect(links[11]).toEqual(last);
      expect(await ledger.operations(9)).toMatchObject([
        { ...operationOf(9, 'prune'), seq: 13, pruned: { ranges: [[4, 9]] } },
      ]);
      await recordRun(ledger, 5);
      expect(audit()).toMatchObject({ findings: [], records: 16, takenOut: 6, runs: 3, operations: 1 });
    });

    test('takes out again and again, also what lies between, and never what was taken out', async () => {
      for (const n of [1, 2, 3, 4, 5]) await recordRun(ledger, n);
      expect(await prune(10, 1, 3, 5)).toMatchObject({
        ranges: [
          [1, 3],
          [7, 9],
          [13, 15],
        ],
      });
      expect(await prune(11, 1, 2, 9)).toMatchObject({ runIds: [runIdOf(2)], ranges: [[4, 6]] });
      expect(await prune(12, 1, 2)).toBeNull();
      expect(await prune(13)).toBeNull();
      expect((await ledger.operations(9)).map(({ seq }) => seq)).toEqual([17, 16]);
      expect(audit()).toMatchObject({ findings: [], takenOut: 12, runs: 1, operations: 2 });
    });

    test('never takes out what is under way, what waits for its entry, or an operation; then nothing is taken out', async () => {
      await recordRun(ledger, 1);
      await recordRun(ledger, 2, { historyMode: 'file' });
      await ledger.enqueue(queuedRun(3), OWNER, DOCUMENT);
      await ledger.enqueue(queuedRun(4), OWNER, DOCUMENT);
      await ledger.begin(runIdOf(4), { startedAt: timeOf(4), containment: REAPER }, null);
      for (const n of [2, 3, 4]) await expect(prune(9, 1, n)).rejects.toThrow(TypeError);
      await ledger.pause(operationOf(5, 'pause'));
      expect(await ledger.prune([operationOf(5, 'pause').operationId], operationOf(9, 'prune'))).toBeNull();
      expect(await listed()).toEqual([4, 3, 2, 1]);
      expect(audit().findings).toEqual([]);
    });

    test('texts of documents go with the last run that names them', async () => {
      const texts = ['one', 'two', 'three'].map((text) => Buffer.from(text));
      const run = async (n: number, text: Buffer): Promise<void> => {
        const runbook = { name: 'T', digest: sha256(text), path: null };
        await ledger.enqueue(queuedRun(n, { runbook }), OWNER, text);
        await ledger.finish(runIdOf(n), resultOf(n, { outcome: 'canceled' }));
      };
      for (const [n, text] of texts.entries()) await run(n, text);
      await run(3, texts[0] ?? DOCUMENT);
      expect(await ledger.forgetDocuments()).toBe(0);
      await prune(9, 0, 1);
      expect(await ledger.forgetDocuments()).toBe(1);
      const known = await Promise.all(texts.map((text) => ledger.documentText(sha256(text))));
      expect(known.map((text) => text?.toString() ?? null)).toEqual(['one', null, 'three']);
      await run(4, texts[1] ?? DOCUMENT);
      expect(await ledger.forgetDocuments()).toBe(0);
      expect(audit()).toMatchObject({ findings: [], documents: 3 });
    });

    test('what is forgotten of outputs is found no more', async () => {
      for (const n of [1, 2]) {
        await recordRun(ledger, n);
        await ledger.indexOutput(runIdOf(n), 'a needle in the hay');
      }
      await recordRun(ledger, 3);
      expect(await found('needle')).toEqual([3, 2, 1].map(runIdOf));
      await ledger.forgetOutput([1, 3, 7].map(runIdOf));
      expect(await found('needle')).toEqual([runIdOf(2)]);
      expect(await listed()).toEqual([3, 2, 1]);
    });

    test('one has a turn in a time, whoever asks, and a clock that was ahead does not take it for ever', async () => {
      const other = subject.open();
      const take = (by: RunLedger, n: number, what = 'sweep'): Promise<boolean> =>
        by.takeTurn(what, timeOf(n), timeOf(n - 10));
      expect([await take(ledger, 0), await take(other, 0), await take(ledger, 9)]).toEqual([true, false, false]);
      expect(await take(ledger, 9, 'other')).toBe(true);
      expect([await take(other, 11), await take(ledger, 12)]).toEqual([true, false]);
      expect([await take(ledger, -50), await take(other, -45)]).toEqual([true, false]);
      other.close();
    });

    test('is copied whole while others write, for nobody else to read, and the copy is a ledger', async () => {
      await recordRun(ledger, 9000);
      const target = subject.elsewhere();
      const writing = subject.writeFromProcesses(2, 25);
      const copies: AuditReport[] = [];
      for (let n = 0; n < 5; n += 1) {
        await ledger.copyTo(`${target}.${n}`);
        expect(statSync(`${target}.${n}`).mode & 0o777).toBe(0o600);
        copies.push(audit(`${target}.${n}`));
      }
      await writing;
      await ledger.copyTo(target);
      expect([...copies, audit(target)].flatMap(({ findings }) => findings)).toEqual([]);
      expect(audit(target)).toMatchObject({ records: 153, runs: 51, last: audit().last });
      expect(readdirSync(dirname(target)).filter((file) => file.includes('.new'))).toEqual([]);
    });

    test('is copied without what somebody wants of runs under way, which nobody has masked yet', async () => {
      await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
      const asked = operationOf(1, 'cancel', { reason: 'canary-of-a-request', run: runIdOf(1) });
      expect(await ledger.requestCancel(runIdOf(1), asked)).toBe(true);
      const target = subject.elsewhere();
      await ledger.copyTo(target);
      expect(readFileSync(target).includes('canary-of-a-request')).toBe(false);
      expect(audit(target).findings).toEqual([]);
      expect(await ledger.cancelRequest(runIdOf(1))).toMatchObject([{ reason: 'canary-of-a-request' }]);
    });

    test('is not copied over what is there, nor where nothing can be; nothing is left of the attempt', async () => {
      await recordRun(ledger, 1);
      const target = subject.elsewhere();
      await expect(ledger.copyTo(`${target}/in/nowhere`)).rejects.toMatchObject({ code: 'io' });
      expect(existsSync(target)).toBe(false);
      writeFileSync(target, 'mine');
      await expect(ledger.copyTo(target)).rejects.toMatchObject({ code: 'usage' });
      expect(statSync(target).size).toBe(4);
    });

    test('an interruption, a refusal and a cancel before the start are what the chain says of them', async () => {
      await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
      await ledger.finish(runIdOf(1), resultOf(1, { outcome: 'canceled' }));
      await ledger.enqueue(queuedRun(2), OWNER, DOCUMENT);
      await ledger.begin(runIdOf(2), { startedAt: timeOf(2), containment: REAPER }, null);
      await ledger.interrupt(runIdOf(2), interruptionOf(2));
      await ledger.enqueue(queuedRun(3, { rehearsal: true, incident: 'INC-7' }), OWNER, DOCUMENT);
      const refusal = { code: 'not-found', message: 'There is no such runbook.' } as const;
      const runbook = { name: 'Nowhere', digest: null, path: null };
      await ledger.refuse(queuedRun(4, { state: 'refused', refusal, runbook }), null, OWNER);
      await ledger.pause(operationOf(5, 'pause'));
      expect(audit()).toMatchObject({ findings: [], records: 8, runs: 4, operations: 1, documents: 1 });
    });
  });
}
