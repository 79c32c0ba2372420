/** What is left of a run whose runner was killed, on each rung; and what only looks like it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeCgroup } from '../../../src/adapters/executor/cgroup.ts';
import { createExecutor } from '../../../src/adapters/executor/index.ts';
import type { Containment } from '../../../src/core/containment.ts';
import type { Survivor } from '../../../src/core/run.ts';
import { isAlive, RUNG_OPTIONS } from '../../helpers/executor.ts';

const HELPER = path.join(import.meta.dirname, '../../helpers/doomed-runner.ts');
const NO_LIMITS = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };
/** A plain child, one that left group and session, and one that also forgot whose it is. */
const FAMILY = `sleep 300 & echo $! > plain; setsid sleep 300 & echo $! > setsid; setsid env -i sleep 300 & echo $! > nameless
touch up; sleep 300`;

let folder: string;
let runId: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'runbook-leftovers-'));
  runId = `LEFT${process.pid}${Math.random().toString(36).slice(2, 10)}`;
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const livingOf = (...names: readonly string[]): readonly string[] =>
  names.filter((name) => isAlive(path.join(folder, name)));
/** @returns who could not be ended */
const endLeftovers = async (containment: Containment | null, id = runId): Promise<readonly Survivor[]> =>
  (await endAll(id, containment)).survivors;
const endAll = async (id: string, containment: Containment | null) =>
  await createExecutor({ stopGraceMs: 500, containment: 'auto', required: null }).endLeftovers(id, containment);

/** Kills the runner as soon as the family is there. */
async function orphaned(rung: string): Promise<Containment> {
  const runner = execa(process.execPath, [HELPER, runId, folder, rung, FAMILY], { reject: false });
  const [line] = await once(runner.stdout, 'data');
  while (!existsSync(path.join(folder, 'up'))) await delay(5);
  runner.kill('SIGKILL');
  await runner;
  return JSON.parse(String(line)) as Containment;
}

const bystander = (env: Record<string, string> = {}): number => {
  const child = spawn('/bin/sleep', ['300'], { env, detached: true, stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  writeFileSync(path.join(folder, 'bystander'), String(child.pid));
  return child.pid ?? 0;
};
const containmentOf = (...cgroups: readonly string[]): Containment => ({
  rung: 'cgroup',
  reaper: 'perl',
  cgroups,
  refused: [],
});

describe.each(RUNG_OPTIONS)('a runner on the rung %s that was killed', (rung) => {
  it('leaves nobody once somebody has looked after it, and no control group', { timeout: 60_000 }, async () => {
    const containment = await orphaned(rung);
    expect(await endLeftovers(containment)).toEqual([]);
    expect(livingOf('plain', 'setsid', 'nameless')).toEqual([]);
    expect(containment.cgroups.filter((one) => existsSync(one))).toEqual([]);
    // Once more is as good as once.
    expect(await endLeftovers(containment)).toEqual([]);
  });

  it('is ended by two at once as by one', { timeout: 60_000 }, async () => {
    const containment = await orphaned(rung);
    expect(await Promise.all([endLeftovers(containment), endLeftovers(containment)])).toEqual([[], []]);
    expect(livingOf('plain', 'setsid', 'nameless')).toEqual([]);
  });
});

describe('what only looks like it', () => {
  it('a folder that a record calls a control group, with processes in a file', async () => {
    const forged = path.join(folder, `runbook-${runId.toLowerCase()}`);
    mkdirSync(forged);
    writeFileSync(path.join(forged, 'cgroup.procs'), `${bystander()}\n`);
    for (const name of ['cgroup.kill', 'pids.max']) writeFileSync(path.join(forged, name), 'old');
    expect(await endLeftovers(containmentOf(forged))).toEqual([]);
    expect(livingOf('bystander')).toEqual(['bystander']);
    expect(readdirSync(forged)).toHaveLength(3);
    expect(readFileSync(path.join(forged, 'pids.max'), 'utf8')).toBe('old');
  });

  it('a process with the id of another run, or with a longer one', async () => {
    bystander({ RUNBOOK_RUN_ID: `${runId}0`, NOTE: `RUNBOOK_RUN_ID=${runId}` });
    expect(await endLeftovers(null)).toEqual([]);
    expect(livingOf('bystander')).toEqual(['bystander']);
  });

  it('a command line borrowed from a reaper: it is woken, and nothing more', async () => {
    const script = path.join(folder, 'reaper.pl');
    writeFileSync(script, 'sleep 1.5\n');
    const child = execa('/bin/sh', [script, runId]);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    child.kill('SIGSTOP');
    expect(await endLeftovers(null)).toEqual([]);
    expect((await child).exitCode).toBe(0);
  });
});

describe.each(RUNG_OPTIONS.filter(([name]) => name.startsWith('cgroup')).slice(0, 1))(
  'the control group of another run (%s)',
  () => {
    it('in this one’s record is left alone', async () => {
      const other = makeCgroup(`${runId}other`, NO_LIMITS);
      if (typeof other === 'string') throw new Error(other);
      writeFileSync(path.join(other.folders[0] ?? '', 'cgroup.procs'), String(bystander()));
      try {
        expect(await endLeftovers(containmentOf(...other.folders))).toEqual([]);
        expect(livingOf('bystander')).toEqual(['bystander']);
        expect(existsSync(other.folders[0] ?? '')).toBe(true);
      } finally {
        await other.empty();
        await other.remove();
      }
    });

    it('of a run that died before it began is given back, although no record names it', async () => {
      const made = makeCgroup(runId, { ...NO_LIMITS, memoryBytes: 2 ** 30, processes: 100 });
      if (typeof made === 'string') throw new Error(made);
      expect(await endLeftovers(null)).toEqual([]);
      expect(made.folders.filter((one) => existsSync(one))).toEqual([]);
    });
  },
);
