/** A copy of a ledger that somebody works with: the move is on record before what it was made for, by number and by time. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { createRunIds } from '../../src/adapters/system/run-ids.ts';
import type { RunLedger } from '../../src/core/ports.ts';
import { operationOf, pauseRuns, resumeRuns } from '../../src/engine/operations.ts';
import type { OperationPorts } from '../../src/engine/operations.ts';
import { settleAtFirstChange } from '../../src/engine/settle.ts';
import { OWNER, recordRun, runIdOf } from '../helpers/records.ts';

let folder = '';
let original: RunLedger;
let copy: RunLedger;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'settle-'));
  const home = path.join(folder, 'home');
  original = openSqliteLedger(path.join(home, 'ledger.sqlite'));
  await recordRun(original, 1);
  await original.pause(operationOf(portsOf(original), 'pause', 'because'));
  original.close();
  cpSync(home, path.join(folder, 'copy'), { recursive: true });
  copy = openSqliteLedger(path.join(folder, 'copy/ledger.sqlite'));
});
afterEach(() => {
  copy.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A second goes by with each look at the clock. */
function portsOf(ledger: RunLedger): OperationPorts {
  let seconds = 0;
  return {
    ledger,
    runIds: createRunIds(systemClock),
    clock: { now: () => new Date(Date.UTC(2026, 5, 1, 0, 0, (seconds += 1))), monotonicMs: () => seconds * 1000 },
    osUser: 'anna',
    owners: { current: OWNER, whyGone: () => null },
    toolVersion: '0.1.0',
    ownSecrets: { known: new Set(), read: async () => {} },
    callerEnvironment: new Map(),
  };
}

test.each<[string, (ports: OperationPorts) => Promise<unknown>]>([
  ['pause', async (ports) => await pauseRuns(ports, 'another reason')],
  ['resume', resumeRuns],
  ['prune', async (ports) => await ports.ledger.prune([runIdOf(1)], operationOf(ports, 'prune', 'old'))],
])('%s comes after the move that it causes', async (name, act) => {
  const ports = portsOf(copy);
  const moves: unknown[] = [];
  const ledger = await settleAtFirstChange(ports, (settled) => moves.push(settled));
  await act({ ...ports, ledger });
  expect(moves).toEqual([{ from: path.join(folder, 'home'), runIds: [] }]);
  const [second, first] = await copy.operations(2);
  expect([first?.operation, second?.operation]).toEqual(['move', name]);
  expect(Date.parse(second?.at ?? '')).toBeGreaterThan(Date.parse(first?.at ?? ''));
  // Once it is one of its own, an operation keeps the time that it was asked for at.
  const later = operationOf(ports, 'pause', 'once more');
  await ledger.pause(later);
  expect(await copy.operations(1)).toMatchObject([{ operation: 'pause', at: later.at }]);
  expect(await copy.paused()).toMatchObject({ since: later.at });
});
