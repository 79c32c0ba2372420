/** Reapers that are ready before a run needs one: nothing of them outlives its runner, or is taken for somebody else's. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCgroup } from '../../../src/adapters/executor/cgroup.ts';
import { findHierarchies } from '../../../src/adapters/executor/cgroup-mounts.ts';
import { createExecutor } from '../../../src/adapters/executor/index.ts';
import { isOrphaned, isOrphanedMark, ownMark, preparedName } from '../../../src/adapters/executor/prepared-name.ts';
import type { Containment } from '../../../src/core/containment.ts';
import { codeOf } from '../../../src/core/failures.ts';
import { NO_LIMITS } from '../../helpers/executor.ts';
import { times } from '../../helpers/property.ts';

const HELPER = path.join(import.meta.dirname, '../../helpers/ready-runner.ts');
const options = { stopGraceMs: 500, containment: 'auto', required: null } as const;
const never = new AbortController().signal;
const probe = makeCgroup(`READY${process.pid}`, NO_LIMITS);
if (typeof probe !== 'string') await probe.remove();
const hasGroups = typeof probe !== 'string' && existsSync('/usr/bin/perl');

function groupsOf(pid: number): readonly string[] {
  return findHierarchies().flatMap(({ own }) =>
    readdirSync(own)
      .filter((name) => name.startsWith('runbook-of-') && name.split('-')[3] === String(pid))
      .map((name) => path.join(own, name)),
  );
}

/** Nurseries, reapers and seedlings of a runner, by what `ps` shows of them. */
function processesOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0');
        return (
          words.some((word) => word.endsWith('reaper.pl')) && words.some((word) => word.split('-')[1] === String(pid))
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** One may have ended with another. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let looks = 0; looks < 1500; looks += 1) {
    if (isSo()) return;
    await delay(20);
  }
  throw new Error(`it did not come to it: ${what}`);
}

async function start(count: number) {
  const runner = execa(process.execPath, [HELPER, String(count)], { reject: false });
  const pid = runner.pid ?? 0;
  onTestFinished(() => {
    runner.kill('SIGKILL');
  });
  const [line] = await once(runner.stdout, 'data');
  return { runner, pid, containment: JSON.parse(String(line)) as Containment };
}

describe.runIf(hasGroups)('a runner with reapers that are ready', () => {
  it('leaves none of them when it is killed, and none of their groups', async () => {
    for (let round = 0; round < times(3, 50); round += 1) {
      const { runner, pid } = await start(3);
      if (round === 0) {
        expect(processesOf(pid).length).toBeGreaterThan(3);
        expect(groupsOf(pid).length).toBeGreaterThan(0);
      }
      runner.kill('SIGKILL');
      await until('nothing is left', () => processesOf(pid).length === 0 && groupsOf(pid).length === 0);
    }
  });

  it('that was killed together with them leaves groups that whoever recovers, or prepares, takes away', async () => {
    const { runner, pid, containment } = await start(2);
    await until('all are there', () => groupsOf(pid).length === 3);
    // None of them may take a group away, nor may the runner: they are stopped first, and who has made another is killed after it.
    const all = processesOf(pid);
    for (const one of [pid, ...all]) process.kill(one, 'SIGSTOP');
    for (const one of [pid, ...all].toReversed()) kill(one);
    await runner;
    await until('they are gone', () => processesOf(pid).length === 0);
    expect(groupsOf(pid).length).toBe(3);
    expect(groupsOf(pid)).toContain(containment.cgroups[0]);
    const left = await createExecutor(options).endLeftovers('READY', containment);
    expect([left, groupsOf(pid)]).toEqual([{ survivors: [], cgroups: [] }, []]);
  });

  it('goes on when somebody kills the nursery: with what is ready, and then with another', async () => {
    const executor = createExecutor({ ...options, ready: 1 });
    onTestFinished(() => {
      executor.close();
    });
    const run = async (): Promise<string> => {
      executor.prepare();
      const enclosure = await executor.open({ runId: 'AGAIN', limits: NO_LIMITS, terminal: false });
      const job = { runId: 'AGAIN', argv: ['/bin/true'], cwd: '/', env: {}, timeoutMs: null, tty: false };
      const { cause, exitCode } = await enclosure.execute(job, { stop: never, force: never }, async () => {});
      return `${cause} ${exitCode} ${(await enclosure.close()).claim}`;
    };
    expect(await run()).toBe('exited 0 proven');
    for (const pid of processesOf(process.pid)) kill(pid);
    // Who asks in that very moment may still get one that is dying, and the run ends as if its own had been killed.
    await until('they are gone', () => processesOf(process.pid).length === 0);
    for (let n = 0; n < 3; n += 1) expect(await run()).toBe('exited 0 proven');
    executor.close();
    await until('nothing is left', () => processesOf(process.pid).length === 0 && groupsOf(process.pid).length === 0);
  });
});

describe('the name of what is prepared', () => {
  it('is that of nobody who is there, of another PID namespace, or that is no such name', () => {
    const mark = ownMark() ?? '';
    const [namespace = '', , startTime = ''] = mark.split('-');
    expect(isOrphaned(preparedName(mark, 1))).toBe(false);
    expect(isOrphanedMark(`${namespace}-${process.pid}-1`)).toBe(true);
    expect(isOrphanedMark(`${namespace}-4194305-${startTime}`)).toBe(true);
    for (const other of [
      `1-4194305-${startTime}`,
      `${namespace}-4194305`,
      `${namespace}-x-1`,
      `${namespace}-4194305-`,
      '',
    ])
      expect([other, isOrphanedMark(other)]).toEqual([other, false]);
    expect(isOrphaned(`runbook-${namespace}-4194305-1-1`)).toBe(false);
  });

  it.runIf(hasGroups)('of a runner that is there is left alone, also where a record names it', async () => {
    const folder = path.join(
      findHierarchies().find(({ controllers }) => controllers.includes('pids'))?.own ?? '',
      preparedName(ownMark() ?? '', 999_999),
    );
    mkdirSync(folder);
    onTestFinished(() => {
      rmdirSync(folder);
    });
    const sleeper = execa('/bin/sleep', ['300'], { reject: false });
    writeFileSync(path.join(folder, 'cgroup.procs'), String(sleeper.pid));
    await createExecutor(options).endLeftovers('OTHER', {
      rung: 'cgroup',
      reaper: 'perl',
      cgroups: [folder],
      refused: [],
    });
    expect(readFileSync(path.join(folder, 'cgroup.procs'), 'utf8')).toBe(`${sleeper.pid}\n`);
    sleeper.kill('SIGKILL');
    await sleeper;
  });
});
