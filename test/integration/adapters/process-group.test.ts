/** The executor on real processes: what ends, how it is told, and that nothing of the group is left. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProcessGroupExecutor } from '../../../src/adapters/executor/process-group.ts';
import type { Job, JobEnd } from '../../../src/core/ports.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'runbook-executor-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly end: JobEnd;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  script: string,
  more: Partial<Job> = {},
  signal = new AbortController().signal,
  onChunk: () => Promise<void> = async () => {},
): Promise<Ran> {
  const executor = createProcessGroupExecutor({ stopGraceMs: 500 });
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const job: Job = {
    runId: 'R',
    argv: ['/bin/bash', '-c', script],
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    timeoutMs: null,
    tty: false,
    ...more,
  };
  const end = await executor.execute(job, signal, async (stream, chunk) => {
    parts[stream].push(chunk);
    await onChunk();
  });
  return { end, stdout: Buffer.concat(parts.stdout).toString(), stderr: Buffer.concat(parts.stderr).toString() };
}

/** Whether a process that wrote its pid into `file` is still there (and is no zombie). */
function isAlive(file: string): boolean {
  const pid = readFileSync(path.join(folder, file), 'utf8').trim();
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('an end of its own', () => {
  it('is told with the exit code, and both streams complete', async () => {
    const { end, stdout, stderr } = await run('echo out; echo err >&2; exit 7');
    expect(end).toMatchObject({ cause: 'exited', exitCode: 7, signal: null, survivors: [] });
    expect([stdout, stderr]).toEqual(['out\n', 'err\n']);
  });

  it('by a signal is told with its name', async () => {
    expect((await run('kill -KILL $$')).end).toMatchObject({ cause: 'exited', exitCode: null, signal: 'SIGKILL' });
  });

  it('ends also what the script left behind in its group, and does not wait for it', async () => {
    const { end, stdout } = await run('sleep 300 & echo $! > pid; echo done');
    expect(end).toMatchObject({ cause: 'exited', exitCode: 0, survivors: [], leftBehind: [{ command: 'sleep' }] });
    expect(stdout).toBe('done\n');
    expect(isAlive('pid')).toBe(false);
  });

  it('lets a process substitution write its last words', async () => {
    expect((await run('echo text > >(sed s/text/changed/)')).stdout).toBe('changed\n');
  });
});

describe('a stop', () => {
  it('at the time limit ends a script that ignores TERM, and its children', async () => {
    const { end, stdout } = await run(
      'trap "" TERM; echo before; (trap "" TERM; echo $BASHPID > pid; while :; do sleep 0.1; done) & wait',
      { timeoutMs: 1500 },
    );
    expect(end).toMatchObject({ cause: 'timed-out', signal: 'SIGKILL', survivors: [] });
    expect(stdout).toBe('before\n');
    expect(isAlive('pid')).toBe(false);
  });

  it('gives a script time to clean up', async () => {
    const { end, stdout } = await run('trap "echo cleaned; exit 3" TERM; echo ready; while :; do sleep 0.05; done', {
      timeoutMs: 1500,
    });
    expect(end).toMatchObject({ cause: 'timed-out', exitCode: 3 });
    expect(stdout).toBe('ready\ncleaned\n');
  });

  it('on request is told as canceled', async () => {
    const controller = new AbortController();
    const { end } = await run('echo ready; sleep 300', {}, controller.signal, async () => {
      controller.abort();
    });
    expect(end).toMatchObject({ cause: 'canceled', signal: 'SIGTERM' });
  });

  it('before the start starts nothing', async () => {
    const { end } = await run('touch started', {}, AbortSignal.abort());
    expect(end.cause).toBe('canceled');
    expect(() => readFileSync(path.join(folder, 'started'))).toThrow('ENOENT');
  });
});

describe('output', () => {
  it('makes the script wait while the listener is slow, and loses nothing', async () => {
    let pause = 20;
    const { stdout } = await run('head -c 2000000 /dev/zero | tr "\\0" a', {}, undefined, async () => {
      pause = Math.max(0, pause - 1);
      await new Promise((resolve) => {
        setTimeout(resolve, pause);
      });
    });
    expect(stdout.length).toBe(2_000_000);
  });

  it('reaches a listener that is slower than the script, to its last byte', async () => {
    const { stdout } = await run('head -c 400000 /dev/zero | tr "\\0" a; echo end', {}, undefined, async () => {
      await new Promise((resolve) => {
        setTimeout(resolve, 400);
      });
    });
    expect(stdout.length).toBe(400_004);
  });

  it('does not hold a run that was stopped when the listener never takes it', async () => {
    const { end } = await run('yes', { timeoutMs: 300 }, undefined, async () => {
      await new Promise(() => {});
    });
    expect(end.cause).toBe('timed-out');
  });

  it('that a process outside of the group holds open does not hold the run', async () => {
    const { end, stdout } = await run('setsid sleep 300 & echo $! > pid; echo done');
    expect(end).toMatchObject({ cause: 'exited', exitCode: 0 });
    expect(stdout).toBe('done\n');
    process.kill(Number(readFileSync(path.join(folder, 'pid'), 'utf8')), 'SIGKILL');
  });
});

describe('a start', () => {
  it.each([
    ['of what is not there', { argv: ['/nowhere/bash'] }, /could not be started/],
    ['with too much environment', { env: { BIG: 'x'.repeat(3_000_000) } }, /E2BIG/],
    ['in a folder that is gone', { cwd: '/nowhere' }, /work folder is gone/],
  ] as const)('%s is a result, not an exception', async (_name, more, reason) => {
    const { end } = await run('true', more);
    expect(end.cause).toBe('spawn-failed');
    expect(end.reason).toMatch(reason);
  });

  it('gives exactly the environment of the job, /dev/null as stdin, and no other descriptor', async () => {
    const { stdout } = await run(
      'env -0 | tr "\\0" "\\n" | grep -vE "^(PWD|SHLVL|_)=" ; readlink /proc/self/fd/0; ls /proc/$$/fd | tr "\\n" " "',
      { env: { PATH: '/usr/bin:/bin', A: '1' } },
    );
    const lines = stdout.split('\n');
    expect(lines.slice(0, 3).sort()).toEqual(['/dev/null', 'A=1', 'PATH=/usr/bin:/bin']);
    expect(
      lines[3]
        ?.trim()
        .split(' ')
        .filter((fd) => Number(fd) < 250),
    ).toEqual(['0', '1', '2']);
  });
});
