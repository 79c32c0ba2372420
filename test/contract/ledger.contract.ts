/** What every ledger must do, whatever it is built on. */
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LedgerView, RunLedger } from '../../src/core/ports.ts';
import type { RunOwner, RunRecord } from '../../src/core/run.ts';
import {
  DOCUMENT,
  operationOf,
  OWNER,
  queuedRun,
  REAPER,
  resultOf,
  runIdOf,
  sha256,
  timeOf,
} from '../helpers/records.ts';

export interface LedgerUnderTest {
  /** Opens the ledger of this test; the same one each time. */
  open(isGone?: (owner: RunOwner, leaseUntil: string | null) => boolean): RunLedger;
  /** As an auditor sees it, or a copy of it. */
  view(copy?: string): LedgerView;
  /** A file that is not there, in a folder of this test. */
  elsewhere(): string;
  /** Lets `writers` processes record `runs` finished runs each, at once, ids counting from `first`. */
  writeFromProcesses(writers: number, runs: number): Promise<void>;
  /** First bad place in the chain as it is stored, null for none. */
  verify(): number | null;
  pause(reason: string): void;
  /** How many document texts are stored. */
  countDocuments(): number;
}

const REFUSAL = { code: 'forbidden', message: 'The token lacks the role.' } as const;

export function ledgerContract(name: string, make: () => LedgerUnderTest): void {
  describe(`ledger contract: ${name}`, () => {
    let subject: LedgerUnderTest;
    let ledger: RunLedger;
    beforeEach(() => {
      subject = make();
      ledger = subject.open();
    });
    afterEach(() => {
      ledger.close();
    });

    const enqueue = (record: RunRecord): Promise<void> => ledger.enqueue(record, OWNER, DOCUMENT);
    const begin = (n: number): Promise<void> =>
      ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);

    test('keeps a run through all its states, exactly as it was told', async () => {
      const record = queuedRun(1);
      await enqueue(record);
      const queued = await ledger.get(record.runId);
      expect(queued).toStrictEqual({ ...record, seq: 1, prev: '0'.repeat(64), hash: queued?.hash });

      await begin(1);
      const begun = { ...record, state: 'started', startedAt: timeOf(1), containment: REAPER };
      expect(await ledger.get(record.runId)).toMatchObject({ ...begun, seq: 2, prev: queued?.hash });

      const result = resultOf(1, { outcome: 'failed', exitCode: 3, reason: 'exit code 3' });
      await ledger.finish(record.runId, result);
      const stored = await ledger.get(record.runId);
      expect(stored).toStrictEqual({
        ...begun,
        state: 'finished',
        result,
        seq: 3,
        prev: stored?.prev,
        hash: stored?.hash,
      });
      expect(subject.verify()).toBeNull();
    });

    test('keeps a refusal, also one without a document', async () => {
      const refused = queuedRun(1, { state: 'refused', refusal: REFUSAL });
      const unread = queuedRun(2, {
        state: 'refused',
        refusal: { code: 'not-found', message: 'There is no such runbook.' },
        runbook: { name: 'Nowhere', digest: null, path: null },
      });
      await ledger.refuse(refused, DOCUMENT, OWNER);
      await ledger.refuse(unread, null, OWNER);

      expect(await ledger.get(runIdOf(1))).toMatchObject(refused);
      expect(await ledger.get(runIdOf(2))).toMatchObject(unread);
      expect(await ledger.list({ state: 'refused', limit: 9 })).toHaveLength(2);
    });

    test('lets no more runs of one document begin at once than it is told', async () => {
      const limit = { startedAt: timeOf(9), containment: REAPER };
      for (const n of [1, 2, 3, 4]) await enqueue(queuedRun(n));
      const other = { ...queuedRun(5).runbook, path: '/elsewhere.md' };
      await enqueue(queuedRun(5, { runbook: other }));
      await ledger.begin(runIdOf(1), limit, 2);
      await ledger.begin(runIdOf(2), limit, 2);
      await expect(ledger.begin(runIdOf(3), limit, 2)).rejects.toMatchObject({ code: 'busy' });
      expect(await ledger.get(runIdOf(3))).toMatchObject({ state: 'queued' });
      await ledger.begin(runIdOf(4), limit, 3);
      await ledger.begin(runIdOf(5), limit, 1);
      await ledger.finish(runIdOf(1), resultOf(1));
      await ledger.finish(runIdOf(2), resultOf(2));
      await ledger.begin(runIdOf(3), limit, 2);
    });

    test('rehearsals neither count for that limit nor among outcomes, and are recorded all the same', async () => {
      const limit = { startedAt: timeOf(9), containment: REAPER };
      for (const n of [1, 2]) await enqueue(queuedRun(n, { rehearsal: true }));
      await enqueue(queuedRun(3));
      await ledger.begin(runIdOf(1), limit, null);
      await ledger.begin(runIdOf(2), limit, null);
      await ledger.begin(runIdOf(3), limit, 1);
      await ledger.finish(runIdOf(2), resultOf(2));
      await ledger.finish(runIdOf(3), resultOf(3));

      const numbers = async (filter: Omit<Parameters<RunLedger['list']>[0], 'limit'>): Promise<string[]> =>
        (await ledger.list({ ...filter, limit: 9 })).map(({ runId }) => runId);
      expect(await numbers({ outcome: 'succeeded' })).toEqual([runIdOf(3)]);
      expect(await numbers({})).toEqual([3, 2, 1].map(runIdOf));
      expect(await ledger.get(runIdOf(2))).toMatchObject({ rehearsal: true, result: { outcome: 'succeeded' } });
    });

    test('knows which runs of a document are incomplete: begun, not succeeded, no rehearsal', async () => {
      const elsewhere = { ...queuedRun(5).runbook, path: '/elsewhere/Restart.md' };
      const path = queuedRun(1).runbook.path ?? '';
      const finished = async (record: RunRecord, n: number, outcome: 'failed' | 'succeeded'): Promise<void> => {
        await enqueue(record);
        await begin(n);
        await ledger.finish(runIdOf(n), resultOf(n, { outcome }));
      };
      await finished(queuedRun(1), 1, 'failed');
      await finished(queuedRun(2), 2, 'succeeded');
      await enqueue(queuedRun(3));
      await begin(3);
      await enqueue(queuedRun(4));
      await finished(queuedRun(5, { runbook: elsewhere }), 5, 'failed');
      await finished(queuedRun(6, { rehearsal: true }), 6, 'failed');
      await ledger.refuse(queuedRun(7, { state: 'refused', refusal: REFUSAL }), DOCUMENT, OWNER);
      await enqueue(queuedRun(8));
      await ledger.finish(runIdOf(8), resultOf(8, { outcome: 'canceled' }));

      const numbers = async (filter: Omit<Parameters<RunLedger['list']>[0], 'limit'>): Promise<string[]> =>
        (await ledger.list({ ...filter, limit: 9 })).map(({ runId }) => runId);
      expect(await numbers({ path, incomplete: true })).toEqual([3, 1].map(runIdOf));
      expect(await numbers({ incomplete: true })).toEqual([5, 3, 1].map(runIdOf));
      expect(await numbers({ path: '/elsewhere/Restart.md' })).toEqual([runIdOf(5)]);
    });

    test('a run that is canceled before it began ends without a start', async () => {
      await enqueue(queuedRun(1));
      await ledger.finish(runIdOf(1), resultOf(1, { outcome: 'canceled', exitCode: null }));
      expect(await ledger.get(runIdOf(1))).toMatchObject({ state: 'finished', startedAt: null });
    });

    test('refuses every transition that the table does not have, and keeps nothing of it', async () => {
      const reach: Readonly<Record<string, (n: number) => Promise<void>>> = {
        none: async () => {},
        queued: (n) => enqueue(queuedRun(n)),
        started: async (n) => {
          await enqueue(queuedRun(n));
          await begin(n);
        },
        finished: async (n) => {
          await enqueue(queuedRun(n));
          await begin(n);
          await ledger.finish(runIdOf(n), resultOf(n));
        },
        refused: (n) => ledger.refuse(queuedRun(n, { state: 'refused', refusal: REFUSAL }), null, OWNER),
      };
      const moves: Readonly<Record<string, (n: number) => Promise<void>>> = {
        queued: (n) => enqueue(queuedRun(n)),
        started: begin,
        finished: (n) => ledger.finish(runIdOf(n), resultOf(n)),
        refused: (n) => ledger.refuse(queuedRun(n, { state: 'refused', refusal: REFUSAL }), null, OWNER),
      };
      const tries = Object.keys(reach).flatMap((from) => Object.keys(moves).map((to) => ({ from, to })));
      const seen: string[] = [];
      for (const [n, { from, to }] of tries.entries()) {
        await reach[from]?.(n);
        const before = await ledger.get(runIdOf(n));
        const failure: unknown = await moves[to]?.(n).then(
          () => null,
          (error: unknown) => error,
        );
        const after = await ledger.get(runIdOf(n));
        const refused = failure instanceof TypeError && isDeepStrictEqual(after, before);
        seen.push(`${from} ${refused ? 'never' : `is ${after?.state}`} ${to}`);
      }
      const states = Object.keys(moves);
      const legal = new Set(['none queued', 'none refused', 'queued started', 'queued finished', 'started finished']);
      expect(seen).toEqual(
        Object.keys(reach).flatMap((from) =>
          states.map((to) => `${from} ${legal.has(`${from} ${to}`) ? `is ${to}` : 'never'} ${to}`),
        ),
      );
      expect(seen.filter((line) => line.includes('never'))).toHaveLength(15);
      expect(subject.verify()).toBeNull();
    });

    test('a record in a wrong state, a result of another run, a text of another digest are bugs', async () => {
      await expect(ledger.enqueue(queuedRun(1, { state: 'started' }), OWNER, DOCUMENT)).rejects.toThrow(TypeError);
      await expect(ledger.enqueue(queuedRun(1), OWNER, Buffer.from('another'))).rejects.toThrow(TypeError);
      expect(await ledger.get(runIdOf(1))).toBeNull();
      await enqueue(queuedRun(1));
      await begin(1);
      await expect(ledger.finish(runIdOf(1), resultOf(2))).rejects.toThrow(TypeError);
    });

    test('lists newest first, by every filter and all of them together', async () => {
      expect(await ledger.runbookNames()).toEqual([]);
      for (let n = 1; n <= 12; n += 1) {
        await enqueue(
          queuedRun(n, {
            runbook: { ...queuedRun(n).runbook, name: n % 2 === 0 ? 'Even' : 'Odd' },
            who: { ...queuedRun(n).who, subject: n % 3 === 0 ? null : `user-${n % 3}` },
          }),
        );
        if (n > 4) await begin(n);
        if (n > 8) await ledger.finish(runIdOf(n), resultOf(n, { outcome: n === 12 ? 'failed' : 'succeeded' }));
      }
      const numbers = async (filter: Omit<Parameters<RunLedger['list']>[0], 'limit'>, limit = 100): Promise<number[]> =>
        (await ledger.list({ ...filter, limit })).map(({ runId }) => Number(runId.slice(6)));

      expect(await numbers({})).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
      expect(await numbers({}, 3)).toEqual([12, 11, 10]);
      expect(await numbers({}, 0)).toEqual([]);
      expect(await numbers({ runbook: 'Even' })).toEqual([12, 10, 8, 6, 4, 2]);
      expect(await numbers({ subject: 'user-1' })).toEqual([10, 7, 4, 1]);
      expect(await numbers({ state: 'started' })).toEqual([8, 7, 6, 5]);
      expect(await numbers({ outcome: 'failed' })).toEqual([12]);
      expect(await numbers({ runbook: 'Odd', subject: 'user-2', state: 'finished', outcome: 'succeeded' })).toEqual([
        11,
      ]);
      expect(await numbers({ runbook: "' OR 1=1 --" })).toEqual([]);
      expect([...(await ledger.runbookNames())].sort()).toEqual(['Even', 'Odd']);
      await expect(ledger.list({ limit: -1 })).rejects.toThrow(TypeError);
    });

    test('pages through them, and tells what runs came to since any moment', async () => {
      for (let n = 1; n <= 5; n += 1) await enqueue(queuedRun(n));
      await begin(2);
      await ledger.pause(operationOf(9, 'pause'));
      await ledger.finish(runIdOf(2), resultOf(2));
      const first = await ledger.listPlaced({ limit: 2 });
      expect(first.map(({ run }) => run.runId)).toEqual([runIdOf(5), runIdOf(4)]);
      const rest = await ledger.listPlaced({ limit: 9, before: first[1]!.place });
      expect(rest.map(({ run }) => run.runId)).toEqual([runIdOf(3), runIdOf(2), runIdOf(1)]);
      expect(await ledger.listPlaced({ limit: 9, before: rest[2]!.place })).toEqual([]);

      expect(await ledger.lastChange()).toBe(8);
      const changes = await ledger.changesAfter(0, 100);
      expect(changes.map(({ seq, runId, state }) => [seq, Number(runId.slice(6)), state])).toEqual([
        [1, 1, 'queued'],
        [2, 2, 'queued'],
        [3, 3, 'queued'],
        [4, 4, 'queued'],
        [5, 5, 'queued'],
        [6, 2, 'started'],
        [8, 2, 'finished'],
      ]);
      expect((await ledger.changesAfter(5, 1)).map(({ seq }) => seq)).toEqual([6]);
      expect(await ledger.changesAfter(8, 10)).toEqual([]);
    });

    test('knows the newest run of each document, whatever was only asked for, refused or rehearsed since', async () => {
      const at = (path: string): RunRecord['runbook'] => ({ ...queuedRun(1).runbook, path });
      const record = async (n: number, path: string, change: Partial<RunRecord> = {}): Promise<void> => {
        await enqueue(queuedRun(n, { runbook: at(path), ...change }));
        await begin(n);
      };
      await record(1, '/a.md');
      await ledger.finish(runIdOf(1), resultOf(1, { outcome: 'failed', exitCode: 3, reason: 'exit code 3' }));
      await record(2, '/a.md');
      await ledger.finish(runIdOf(2), resultOf(2));
      await record(3, '/a.md', { rehearsal: true });
      await enqueue(queuedRun(4, { runbook: at('/a.md') }));
      await ledger.refuse(queuedRun(5, { state: 'refused', refusal: REFUSAL, runbook: at('/a.md') }), DOCUMENT, OWNER);
      await record(6, '/b "\u2028.md');
      await enqueue(queuedRun(7, { runbook: at('/c.md') }));

      const asked = ['/b "\u2028.md', '/a.md', '/c.md', '/none.md', '/a.md', "' OR 1=1 --"];
      const latest = await ledger.latestOf(asked);
      expect([...latest.values()].toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
        {
          path: '/a.md',
          runId: runIdOf(2),
          state: 'finished',
          outcome: 'succeeded',
          startedAt: timeOf(2),
          finishedAt: timeOf(3),
        },
        {
          path: '/b "\u2028.md',
          runId: runIdOf(6),
          state: 'started',
          outcome: null,
          startedAt: timeOf(6),
          finishedAt: null,
        },
      ]);
      expect(await ledger.latestOf([])).toEqual(new Map());
      const later = subject.open(() => true);
      expect((await later.latestOf(asked)).get('/b "\u2028.md')).toMatchObject({ state: 'interrupted', outcome: null });
      later.close();
    });

    test('two runs of the same moment come in the order of their arrival', async () => {
      for (const n of [5, 3, 4]) await enqueue(queuedRun(n, { enqueuedAt: timeOf(0) }));
      expect((await ledger.list({ limit: 3 })).map(({ runId }) => runId)).toEqual([4, 3, 5].map(runIdOf));
    });

    test('keeps the text of a document once per digest, byte for byte', async () => {
      const odd = Buffer.from([0xef, 0xbb, 0xbf, 0x23, 0x00, 0xff, 0xfe, 0x0d, 0x0a, 0x80]);
      const large = Buffer.alloc(300_000, 'runbook text ');
      for (const [n, text] of [odd, large, Buffer.alloc(0), odd, large].entries()) {
        await ledger.enqueue(queuedRun(n, { runbook: { name: 'T', digest: sha256(text), path: null } }), OWNER, text);
        expect(await ledger.documentText(sha256(text))).toStrictEqual(text);
      }
      expect(subject.countDocuments()).toBe(3);
      expect(await ledger.documentText('f'.repeat(64))).toBeNull();
    });

    test('begins nothing while it is paused, and says why', async () => {
      await enqueue(queuedRun(1));
      subject.pause('migration of the database');
      await expect(begin(1)).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('migration of the database') as unknown,
      });
      expect(await ledger.get(runIdOf(1))).toMatchObject({ state: 'queued' });
      await ledger.finish(runIdOf(1), resultOf(1, { outcome: 'canceled' }));
    });

    test('knows everything after it was closed and opened again, and another one sees it at once', async () => {
      await enqueue(queuedRun(1));
      const before = await ledger.get(runIdOf(1));
      ledger.close();
      ledger = subject.open();
      expect(await ledger.get(runIdOf(1))).toStrictEqual(before);
      const other = subject.open();
      await begin(1);
      expect(await other.get(runIdOf(1))).toMatchObject({ state: 'started' });
      other.close();
    });

    test('takes four processes that write at once, in one chain', async () => {
      await subject.writeFromProcesses(4, 200);
      const all = await ledger.list({ limit: 1000 });
      expect(all.filter(({ state }) => state === 'finished')).toHaveLength(800);
      expect(new Set(all.map(({ runId }) => runId)).size).toBe(800);
      expect(Math.max(...all.map(({ seq }) => seq))).toBe(2400);
      expect(subject.verify()).toBeNull();
    });
  });
}
