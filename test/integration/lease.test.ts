/** A run that is under way, its ledger, and others who use it at the same time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import type { Operation, RunLedger } from '../../src/core/ports.ts';
import { holdLease, leaseUntil } from '../../src/engine/lease.ts';
import type { Lease, LeaseTimes } from '../../src/engine/lease.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, runIdOf, timeOf } from '../helpers/records.ts';

const SOON: LeaseTimes = { holds: 60_000, renewed: 5, looked: 5 };
const RUN = runIdOf(1);
const CANCEL: Operation = {
  schemaVersion: 1,
  operationId: runIdOf(9),
  operation: 'cancel',
  at: timeOf(9),
  who: { osUser: 'anna', host: 'ops-2' },
  toolVersion: '0.1.0',
  reason: 'wrong cluster',
  run: RUN,
};
const STEP = { step: 1, of: 3, name: 'Drain', at: timeOf(2) };

let folder = '';
let file = '';
let ledger: RunLedger;
let others: RunLedger;
let lease: Lease | null = null;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'runbook-lease-'));
  file = path.join(folder, 'ledger.sqlite');
  ledger = openSqliteLedger(file);
  others = openSqliteLedger(file);
  await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT, leaseUntil({ clock: systemClock }));
  await ledger.begin(RUN, { startedAt: timeOf(1), containment: REAPER }, null);
});
afterEach(async () => {
  await lease?.release();
  ledger.close();
  others.close();
  rmSync(folder, { recursive: true });
});

const hold = (times: Partial<LeaseTimes> = {}): Lease =>
  (lease = holdLease({ ledger, clock: systemClock }, RUN, { ...SOON, ...times }));

/** Resolves when it holds; the test's own limit ends what never does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(5);
}

async function underWay(): ReturnType<RunLedger['underWay']> {
  return await others.underWay();
}

async function lockedLedger(ms: number): Promise<{ letGo(): void; readonly isFree: Promise<unknown> }> {
  const helper = path.join(import.meta.dirname, '../helpers/lock-holder.ts');
  const holder = execa(process.execPath, [helper, file, String(ms)]);
  onTestFinished(() => {
    holder.kill('SIGKILL');
  });
  await once(holder.stdout, 'data');
  return { letGo: () => holder.stdin.write('\n'), isFree: holder };
}

describe('a lease', () => {
  test('is renewed for as long as it is held', async () => {
    const [before] = await underWay();
    hold();
    await until(async () => ((await underWay())[0]?.leaseUntil ?? '') > (before?.leaseUntil ?? ''));
    await lease?.release();
    const [after] = await underWay();
    await delay(30);
    expect((await underWay())[0]?.leaseUntil).toBe(after?.leaseUntil);
  });

  test('hears of whoever cancels the run, and who that is', async () => {
    const { signal } = hold();
    await until(async () => (await underWay())[0]?.leaseUntil !== null);
    expect(signal.aborted).toBe(false);
    expect(await others.requestCancel(RUN, CANCEL)).toBe(true);
    await until(async () => signal.aborted);
    expect(signal.reason).toEqual({ signal: 'SIGTERM', message: 'Canceled by anna@ops-2: wrong cluster.' });
  });

  test.each([
    [{ reason: null }, 'Canceled by anna@ops-2.'],
    [{ reason: 'Wrong one!' }, 'Canceled by anna@ops-2: Wrong one!'],
    [{ who: { osUser: null, host: 'ops-2' }, reason: '' }, 'Canceled by ops-2.'],
  ])('says it in one sentence: %j', async (change, message) => {
    await others.requestCancel(RUN, { ...CANCEL, ...change });
    const { signal } = hold();
    await until(async () => signal.aborted);
    expect(signal.reason).toMatchObject({ message });
  });

  test('hears also of a request in its own ledger, and of one to another run beside it', async () => {
    await ledger.enqueue(queuedRun(2), OWNER, DOCUMENT);
    const beside = holdLease({ ledger, clock: systemClock }, runIdOf(2), SOON);
    const { signal } = hold();
    await delay(30);
    await ledger.requestCancel(RUN, CANCEL);
    await until(async () => signal.aborted);
    expect(beside.signal.aborted).toBe(false);
    await others.requestCancel(runIdOf(2), { ...CANCEL, operationId: runIdOf(8), run: runIdOf(2) });
    await until(async () => beside.signal.aborted);
    await beside.release();
  });

  test('is lost with the run: whoever carries it out has to stop', async () => {
    const { signal } = hold();
    const interruption = { at: timeOf(5), reason: 'Gone.', progress: null, survivors: [], workFolder: null };
    expect(await others.interrupt(RUN, interruption)).toBe(true);
    await until(async () => signal.aborted);
    expect(signal.reason).toMatchObject({
      signal: 'SIGTERM',
      message: 'The run was taken for dead and recorded as interrupted, so it was ended.',
    });
  });

  test('waits for nobody: a locked ledger holds up nothing, and gets what it missed when it is free', async () => {
    const lock = await lockedLedger(2000);
    const [before] = await underWay();
    const held = hold();
    lock.letGo();
    await held.reached(STEP);
    // Whoever had waited for the lock would have got it.
    expect((await underWay())[0]).toEqual(before);
    expect(held.signal.aborted).toBe(false);
    await lock.isFree;
    await until(async () => (await underWay())[0]?.progress !== null);
    await until(async () => (await underWay())[0]?.leaseUntil !== before?.leaseUntil);
    expect((await underWay())[0]?.progress).toEqual(STEP);
    expect(held.signal.aborted).toBe(false);
  });

  test('a ledger that fails altogether ends no run', async () => {
    const broken = openSqliteLedger(file);
    broken.close();
    const held = holdLease({ ledger: broken, clock: systemClock }, RUN, SOON);
    await held.reached(STEP);
    await delay(30);
    await held.release();
    expect(held.signal.aborted).toBe(false);
  });
});
