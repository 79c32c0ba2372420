/** What a runner that is gone has left: folders and control groups go as they were asked to, and what is known is recorded. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { makeCgroup } from '../../src/adapters/executor/cgroup.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { StepResult, StoredRun } from '../../src/core/run.ts';
import { recover } from '../../src/engine/recover.ts';
import type { RecoveryPorts } from '../../src/engine/recover.ts';
import { DOCUMENT, resultOf, runIdOf, timeOf } from '../helpers/records.ts';
import { ALIVE, documentOf, leftRun, recoveryPorts } from '../helpers/recovery.ts';
import { requires } from '../helpers/requires.ts';

const RECOVERER = path.join(import.meta.dirname, '../helpers/recoverer.ts');
const canMount = requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt');

let folder = '';
let ports: RecoveryPorts;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'runbook-recover-left-'));
  writeFileSync(documentOf(folder), DOCUMENT);
  ports = recoveryPorts(folder);
});
afterEach(() => {
  ports.ledger.close();
  rmSync(folder, { recursive: true });
});

/** @returns what a person is told */
async function lookAfter(): Promise<readonly string[]> {
  const told: string[] = [];
  await recover(ports, async (warning) => {
    told.push(warning);
  });
  return told;
}

const scratch = (...names: readonly string[]): string => path.join(folder, 'scratch', ...names);
const rootOf = (n: number): string => `runbook-exec-${runIdOf(n).toLowerCase()}`;
const runOf = async (n: number): Promise<StoredRun | null> => await ports.ledger.get(runIdOf(n));

describe('a run whose owner is gone', () => {
  test.each([
    [{ rehearsal: true }, false],
    [{ rehearsal: true, keepWorkFolder: 'always' }, true],
    [{ keepWorkFolder: 'always' }, true],
    [{ keepWorkFolder: 'never' }, false],
  ] as const)('keeps its folder as it was asked to: %j', async (wish, isKept) => {
    await leftRun(ports, folder, 1, { ...wish, historyMode: 'ledger' });
    await lookAfter();
    expect((await runOf(1))?.interruption?.workFolder).toBe(isKept ? scratch(rootOf(1), 'work') : null);
    expect(readdirSync(scratch())).toEqual(isKept ? [rootOf(1)] : []);
  });

  test('is told with the steps that were over, and as after the last of them where that is known', async () => {
    const drain = resultOf(1).steps.map((one) => Object.assign(one, { name: 'Drain' }));
    const ended: readonly StepResult[] = [...resultOf(1).steps, ...drain];
    const progress = { step: 1, of: 3, name: 'Drain', at: timeOf(1) };
    for (const n of [1, 2]) {
      const runId = await leftRun(ports, folder, n, { historyMode: 'ledger' });
      await ports.ledger.progress(runId, { ...progress, ended: ended.slice(0, n) });
    }
    const told = await lookAfter();
    expect(told[0]).toContain('Interrupted at “Drain” (step 2 of 3).');
    expect(told[1]).toContain('Interrupted after “Drain” (step 2 of 3).');
    for (const n of [1, 2])
      expect((await runOf(n))?.interruption).toMatchObject({ progress, steps: ended.slice(0, n) });
    expect((await runOf(2))?.interruption?.progress).toEqual(progress);
  });

  /** Another process looks after it, from where these places can only be read. */
  const lookAfterReadOnly = async (...places: readonly string[]): Promise<readonly string[]> => {
    const mounting =
      'for place in $0; do mount --bind "$place" "$place" && mount -o remount,bind,ro "$place" || exit; done; "$@"';
    const { stdout } = await execa(
      'unshare',
      ['-rm', 'sh', '-c', mounting, places.join(' '), process.execPath, RECOVERER, folder],
      { lines: true },
    );
    return stdout.slice(1);
  };

  test.skipIf(!canMount)('is recorded also where its folder can only be read: told once (needs unshare)', async () => {
    await leftRun(ports, folder, 1, { historyMode: 'ledger' });
    expect(await lookAfterReadOnly(scratch())).toEqual([
      expect.stringMatching(/left in its work folder could not be cleared away: /),
      expect.stringMatching(/^Run .* of Restart: Interrupted at “Drain”/),
    ]);
    expect(await lookAfterReadOnly(scratch())).toEqual([]);
    expect(existsSync(scratch(rootOf(1), 'control'))).toBe(true);
    // Who comes when it can be written again takes the secrets away.
    expect(await lookAfter()).toEqual([]);
    expect(existsSync(scratch(rootOf(1), 'control'))).toBe(false);
  });

  test.skipIf(!canMount)('whose control group cannot be given back is told so, once (needs unshare)', async () => {
    // Its number is of this test alone: others look after theirs on the same machine.
    const n = process.pid * 1000 + 7;
    const made = makeCgroup(runIdOf(n), { memoryBytes: null, processes: null, fileBytes: null, openFiles: null });
    if (typeof made === 'string') return;
    onTestFinished(async () => {
      await made.remove();
    });
    await leftRun(ports, folder, n, { historyMode: 'ledger' });
    const mounts = [...new Set(made.folders.map((group) => path.dirname(group)))];
    const told = await lookAfterReadOnly(...mounts);
    expect(told).toEqual([
      expect.stringContaining(`A control group of it could not be removed: ${made.folders.join(', ')}.`),
    ]);
    expect(await lookAfterReadOnly(...mounts)).toEqual([]);
    expect(await runOf(n)).toMatchObject({ state: 'interrupted', interruption: { survivors: [] } });
  });

  test('that had ended and could not remove its folder leaves no scripts and no secrets', async () => {
    await leftRun(ports, folder, 1, { owner: ALIVE, historyMode: 'ledger' });
    expect(await lookAfter()).toEqual([]);
    expect(existsSync(scratch(rootOf(1), 'control'))).toBe(true);
    await ports.ledger.finish(runIdOf(1), resultOf(1, { workFolder: null }));
    expect(await lookAfter()).toEqual([]);
    expect(readdirSync(scratch())).toEqual([]);
  });

  test('and what it left is not for whoever has a copy of the ledger', async () => {
    await leftRun(ports, folder, 1, { owner: ALIVE, historyMode: 'ledger' });
    await ports.ledger.finish(runIdOf(1), resultOf(1, { workFolder: null }));
    ports.ledger.close();
    mkdirSync(path.join(folder, 'copy'));
    const copy = path.join(folder, 'copy/ledger.sqlite');
    cpSync(path.join(folder, 'state/ledger.sqlite'), copy);
    ports = { ...ports, ledger: openSqliteLedger(copy) };
    expect(await ports.ledger.copyOf()).toBe(path.join(folder, 'state'));
    expect(await lookAfter()).toEqual([]);
    expect(existsSync(scratch(rootOf(1), 'control'))).toBe(true);
  });
});
