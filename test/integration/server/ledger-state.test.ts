/** What is counted of a real ledger: what it could not do, and not what it said no to. */
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteLedger } from '../../../src/adapters/ledger/sqlite.ts';
import { RunbookError } from '../../../src/core/errors.ts';
import type { RunLedger } from '../../../src/core/ports.ts';
import { watchLedger } from '../../../src/server/ledger-state.ts';
import type { LedgerState } from '../../../src/server/ledger-state.ts';
import { failureOf } from '../../helpers/failure.ts';
import { DOCUMENT, operationOf, OWNER, queuedRun, REAPER, runIdOf, timeOf } from '../../helpers/records.ts';

function watched(): { readonly ledger: RunLedger; readonly state: LedgerState; readonly file: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'ledger-state-'));
  const file = path.join(folder, 'ledger.sqlite');
  const ledger = openSqliteLedger(file, () => false);
  onTestFinished(() => {
    ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...watchLedger(ledger, folder), file };
}

it('counts what the disk does, and not that runs are paused', async () => {
  const { ledger, state, file } = watched();
  await ledger.pause(operationOf(1, 'pause', { reason: 'Upgrade' }));
  expect(await ledger.paused()).toMatchObject({ reason: 'Upgrade' });
  await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
  const begin = async (): Promise<void> => {
    await ledger.begin(runIdOf(1), { startedAt: timeOf(2), containment: REAPER }, null);
  };
  expect(await failureOf(begin)).toMatchObject({ code: 'busy' });
  expect([...state.failures]).toEqual([
    ['locked', 0],
    ['io', 0],
    ['unavailable', 0],
  ]);
  renameSync(file, `${file}-away`);
  await expect(ledger.tryChange()).rejects.toBeInstanceOf(RunbookError);
  expect(state.failures.get('io')).toBe(1);
  expect(await state.bytes()).toBe(null);
  renameSync(`${file}-away`, file);
  await ledger.tryChange();
  expect(state.failures.get('io')).toBe(1);
});

it('says how large it is, with what is in its log yet', async () => {
  const { ledger, state, file } = watched();
  await ledger.pause(operationOf(1, 'pause', { reason: 'Upgrade' }));
  const bytes = statSync(file).size + statSync(`${file}-wal`).size;
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
  expect(await state.bytes()).toBe(bytes);
});
