/** What only a rung with a reaper can do. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, RUNG_OPTIONS, runIn } from '../../helpers/executor.ts';
import type { Disturbance, Ran, Wish } from '../../helpers/executor.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'runbook-executor-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe.each(RUNG_OPTIONS.filter(([name]) => name !== 'process-group'))('on the rung %s', (rung, options) => {
  const run = async (script: string, more?: Wish, disturbance?: Disturbance): Promise<Ran> =>
    await runIn(folder, options, script, more, disturbance);

  it('goes through pipes that can be opened anew', async () => {
    const { stdout, stderr } = await run(
      'echo a > /dev/stdout; echo b > /dev/stderr; echo c | tee /dev/stderr >> /dev/stdout',
    );
    expect([stdout, stderr]).toEqual(['a\nc\n', 'b\nc\n']);
  });

  it('is not claimed when the script kills what watches over it, and it is ended all the same', async () => {
    const { end, proof } = await run('setsid sleep 300 & echo $! > pid; kill -9 $PPID; sleep 300');
    expect(end).toMatchObject({ exitCode: null, reason: expect.stringMatching(/was killed/) });
    // Nothing leaves a control group.
    expect(proof.claim).toBe(rung.startsWith('cgroup') ? 'proven' : 'best effort');
    expect(isAlive(path.join(folder, 'pid'))).toBe(false);
  });

  it('is nothing that a script can hold up by stopping what watches over it', async () => {
    const { end } = await run('kill -STOP $PPID; sleep 300', { timeoutMs: 300 });
    expect(end.cause).toBe('timed-out');
  });

  it('asks also those to end who have left the group of the script', async () => {
    const bye = `setsid bash -c 'trap "echo bye > bye; exit" TERM; touch up; while :; do sleep 0.05; done' &`;
    const stop = new AbortController();
    await runIn(
      folder,
      { ...options, stopGraceMs: 60_000 },
      `${bye} until [ -e up ]; do sleep 0.05; done; echo up; sleep 300`,
      {},
      { stop: stop.signal, onChunk: async () => stop.abort() },
    );
    expect(readFileSync(path.join(folder, 'bye'), 'utf8')).toBe('bye\n');
  });

  it('is woken when a script stops it and ends', async () => {
    expect((await run('kill -STOP $PPID; exit 5')).end).toMatchObject({ cause: 'exited', exitCode: 5 });
  });

  it('holds the size of files, the number of open ones, and core files', async () => {
    const { end, stdout } = await run('ulimit -c; ulimit -Sn; ulimit -Hn; head -c 100000 /dev/zero > big', {
      limits: { fileBytes: 51_200, openFiles: 64 },
    });
    expect(stdout).toBe('0\n64\n64\n');
    expect(end.exitCode).toBe(153);
  });

  it('ends a script that reads the terminal as a whole, and says why', async () => {
    const { end } = await run('kill -TTIN 0; sleep 300', { timeoutMs: 20_000 });
    expect(end).toMatchObject({ cause: 'exited', exitCode: null, reason: expect.stringMatching(/tty: true/) });
  });

  it('hears of each of a hundred scripts that end at once', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, async () => (await run('exit 3')).end.exitCode));
    expect(all.every((exitCode) => exitCode === 3)).toBe(true);
  });
});
