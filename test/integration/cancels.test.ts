/** Whose reason it is that a canceled run has recorded, in records of this version and of older ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { RunLedger } from '../../src/core/ports.ts';
import type { RunResult } from '../../src/core/run.ts';
import { cancelsOf, withReason } from '../../src/engine/cancel.ts';
import { DOCUMENT, operationOf, OWNER, queuedRun, REAPER, resultOf, runIdOf, timeOf } from '../helpers/records.ts';

let folder = '';
let ledger: RunLedger;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cancels-'));
  ledger = openSqliteLedger(path.join(folder, 'ledger.sqlite'));
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const RUN = runIdOf(1);
const CANCELED = { outcome: 'canceled', exitCode: null, signal: 'SIGTERM' } as const;

/** @returns the reasons that are told: of the run, and of the list of operations */
async function reasonsOf(requests: number, result: Partial<RunResult> | null): Promise<readonly unknown[]> {
  await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
  await ledger.begin(RUN, { startedAt: timeOf(1), containment: REAPER }, null);
  const all = Array.from({ length: requests }, (_, n) => operationOf(n, 'cancel', { run: RUN, reason: `reason ${n}` }));
  for (const one of all) await ledger.requestCancel(RUN, one);
  if (result !== null) await ledger.finish(RUN, resultOf(1, result));
  const run = await ledger.get(RUN);
  if (run === null) throw new Error('it was recorded');
  const told = (await cancelsOf(ledger, run)).map(({ reason }) => reason);
  const listed: unknown[] = [];
  for (const one of await ledger.operations(9)) listed.unshift((await withReason(ledger, one)).reason);
  expect(listed).toEqual(told);
  return told;
}

const [FIRST, SECOND] = [0, 1].map((n) => operationOf(n, 'cancel').operationId);
const said = (reason: string): Partial<RunResult> => ({ ...CANCELED, reason });

test.each<[string, number, Partial<RunResult> | null, readonly (string | null)[]]>([
  ['none while it is under way', 1, null, [null]],
  [
    'each its own',
    2,
    {
      ...said('Canceled by bob@ops-2: a.'),
      cancels: [
        { operationId: SECOND ?? '', reason: 'b' },
        { operationId: FIRST ?? '', reason: 'a' },
      ],
    },
    ['a', 'b'],
  ],
  [
    'none of a request that it has not heard of, nor where it ended otherwise',
    2,
    { cancels: [{ operationId: FIRST ?? '', reason: 'a' }] },
    ['a', null],
  ],
  ['in an older record: of its only one', 1, said('Canceled by bob@ops-2: wrong: cluster.'), ['wrong: cluster']],
  ['in an older record: none was given', 1, said('Canceled by bob@ops-2.'), [null]],
  ['in an older record: of several nobody knows', 2, said('Canceled by bob@ops-2: a.'), [null, null]],
  ['in an older record: it ended otherwise', 1, { outcome: 'failed', exitCode: 1, reason: 'Canceled by x: y' }, [null]],
])('%s', async (_, requests, result, reasons) => {
  expect(await reasonsOf(requests, result)).toEqual(reasons);
});

test('of what is no cancel the reason is its own', async () => {
  await ledger.pause(operationOf(1, 'pause', { reason: 'the move' }));
  const [pause] = await ledger.operations(1);
  if (pause === undefined) throw new Error('it was recorded');
  expect(await withReason(ledger, pause)).toEqual(pause);
});
