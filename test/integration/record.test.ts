/** The record of a run whose ledger fails: what happened is told all the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { RunLedger } from '../../src/core/ports.ts';
import { keepRecord } from '../../src/engine/record.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, resultOf, runIdOf, timeOf } from '../helpers/records.ts';

const NOWHERE = { seq: null, prev: null, hash: null };
const FAILURE = { code: 'busy', message: 'The ledger has been locked for too long.' } as const;

let folder = '';
let ledger: RunLedger;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'record-'));
  ledger = openSqliteLedger(path.join(folder, 'ledger.sqlite'));
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const begin = (to: RunLedger): Promise<void> =>
  to.begin(runIdOf(1), { startedAt: timeOf(1), containment: REAPER }, null);

test('is what the ledger has', async () => {
  const keeper = keepRecord(ledger);
  expect(await keeper.read(null)).toBeNull();
  await keeper.ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
  await begin(keeper.ledger);
  expect(await keeper.read(null)).toEqual(await ledger.get(runIdOf(1)));
  await keeper.ledger.finish(runIdOf(1), resultOf(1));
  expect(await keeper.read(FAILURE)).toEqual(await ledger.get(runIdOf(1)));
  expect(await keeper.read(null)).toMatchObject({ state: 'finished', seq: 3 });
});

test('has the end of a run that could not be recorded', async () => {
  const keeper = keepRecord(ledger);
  await keeper.ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
  await begin(keeper.ledger);
  // Taken for dead by somebody else.
  const progress = { step: 0, of: 1, name: 'Script', at: timeOf(2) };
  await ledger.interrupt(runIdOf(1), {
    at: timeOf(2),
    reason: 'It is gone.',
    progress,
    survivors: [],
    workFolder: null,
  });
  await expect(keeper.ledger.finish(runIdOf(1), resultOf(1))).rejects.toMatchObject({ code: 'io' });
  const told = { ...queuedRun(1), startedAt: timeOf(1), containment: REAPER, result: resultOf(1) };
  expect(await keeper.read(FAILURE)).toEqual({ ...told, state: 'finished', ...NOWHERE });
});

test('of a run that no ledger could be told of is a refusal', async () => {
  const keeper = keepRecord(ledger);
  ledger.close();
  await expect(keeper.ledger.enqueue(queuedRun(1), OWNER, DOCUMENT)).rejects.toThrow('not open');
  expect(await keeper.read(FAILURE)).toEqual({ ...queuedRun(1), state: 'refused', refusal: FAILURE, ...NOWHERE });
});
