/** The executor on real processes, on every rung: what ends, how it is told, and that nothing is left. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder, isAlive, RUNG_OPTIONS, runIn } from '../../helpers/executor.ts';
import type { Disturbance, Ran, Wish } from '../../helpers/executor.ts';

/** For scripts that end when they are asked to: only a machine that hardly goes on comes near it. */
const LONG_GRACE_MS = 60_000;

// Many at once: they mostly wait.
describe.concurrent.each(RUNG_OPTIONS)('on the rung %s', (rung, options) => {
  const isProven = rung !== 'process-group';
  const run = async (folder: string, script: string, more?: Wish, disturbance?: Disturbance): Promise<Ran> =>
    await runIn(folder, options, script, more, disturbance);

  describe('an end of its own', () => {
    it(
      'is told with the exit code, and both streams complete',
      inFolder(async (folder) => {
        const { end, stdout, stderr } = await run(folder, 'echo out; echo err >&2; exit 7');
        expect(end).toMatchObject({ cause: 'exited', exitCode: 7, signal: null, survivors: [] });
        expect([stdout, stderr]).toEqual(['out\n', 'err\n']);
      }),
    );

    it(
      'by a signal is told with its name',
      inFolder(async (folder) => {
        expect((await run(folder, 'kill -KILL $$')).end).toMatchObject({
          cause: 'exited',
          exitCode: null,
          signal: 'SIGKILL',
        });
      }),
    );

    it(
      'ends also what the script left behind in its group, and does not wait for it',
      inFolder(async (folder) => {
        const { end, stdout } = await run(folder, 'sleep 300 & echo $! > pid; echo done');
        expect(end).toMatchObject({ cause: 'exited', exitCode: 0, survivors: [], leftBehind: [{ command: 'sleep' }] });
        expect(stdout).toBe('done\n');
        expect(isAlive(path.join(folder, 'pid'))).toBe(false);
      }),
    );

    it(
      'lets a process substitution write its last words',
      inFolder(async (folder) => {
        expect((await run(folder, 'echo text > >(sed s/text/changed/)')).stdout).toBe('changed\n');
      }),
    );
  });

  describe('a stop', () => {
    it(
      'ends a script that has stopped itself',
      inFolder(async (folder) => {
        const { end } = await run(folder, 'echo $$ > pid; kill -STOP $$', { timeoutMs: 3000 });
        expect(end).toMatchObject({ cause: 'timed-out', survivors: [] });
        expect(isAlive(path.join(folder, 'pid'))).toBe(false);
      }),
    );

    it(
      'at the time limit ends a script that ignores TERM, and its children',
      inFolder(async (folder) => {
        const { end, stdout } = await run(
          folder,
          'trap "" TERM; echo before; (trap "" TERM; echo $BASHPID > pid; while :; do sleep 0.1; done) & wait',
          { timeoutMs: 5000 },
        );
        expect(end).toMatchObject({ cause: 'timed-out', signal: 'SIGKILL', survivors: [] });
        expect(stdout).toBe('before\n');
        expect(isAlive(path.join(folder, 'pid'))).toBe(false);
      }),
    );

    it(
      'of helpers beyond the limit does not change how a script has ended that kept it',
      inFolder(async (folder) => {
        const { end } = await run(folder, '(trap "" TERM; echo held; sleep 60) & sleep 0.2; exit 0', {
          timeoutMs: 5000,
        });
        expect(end).toMatchObject({ cause: 'exited', exitCode: 0, leftBehind: [{ command: 'sleep' }] });
      }),
    );

    it(
      'gives a script time to clean up',
      inFolder(async (folder) => {
        const { end, stdout } = await runIn(
          folder,
          { ...options, stopGraceMs: LONG_GRACE_MS },
          'trap "echo cleaned; exit 3" TERM; echo ready; while :; do sleep 0.05; done',
          { timeoutMs: 5000 },
        );
        expect(end).toMatchObject({ cause: 'timed-out', exitCode: 3 });
        expect(stdout).toBe('ready\ncleaned\n');
      }),
    );

    it(
      'reaches also a script that has stopped itself, which may clean up',
      inFolder(async (folder) => {
        const { end, stdout } = await runIn(
          folder,
          { ...options, stopGraceMs: LONG_GRACE_MS },
          'trap "sleep 0.5; echo cleaned; exit 3" TERM; echo ready; kill -STOP $$; sleep 30 & wait',
          { timeoutMs: 5000 },
        );
        expect(end).toMatchObject({ cause: 'timed-out', exitCode: 3 });
        expect(stdout).toBe('ready\ncleaned\n');
      }),
    );

    it(
      'on request is told as canceled',
      inFolder(async (folder) => {
        const controller = new AbortController();
        const { end } = await runIn(
          folder,
          { ...options, stopGraceMs: LONG_GRACE_MS },
          'echo ready; sleep 300',
          {},
          { stop: controller.signal, onChunk: async () => controller.abort() },
        );
        expect(end).toMatchObject({ cause: 'canceled', signal: 'SIGTERM' });
      }),
    );

    it(
      'before the start starts nothing',
      inFolder(async (folder) => {
        const { end } = await run(folder, 'touch started', {}, { stop: AbortSignal.abort() });
        expect(end.cause).toBe('canceled');
        expect(() => readFileSync(path.join(folder, 'started'))).toThrow('ENOENT');
      }),
    );
  });

  describe('output', () => {
    it(
      'makes the script wait while the listener is slow, and loses nothing',
      inFolder(async (folder) => {
        let pause = 20;
        const { stdout } = await run(
          folder,
          'head -c 2000000 /dev/zero | tr "\\0" a',
          {},
          {
            onChunk: async () => {
              pause = Math.max(0, pause - 1);
              await new Promise((resolve) => {
                setTimeout(resolve, pause);
              });
            },
          },
        );
        expect(stdout.length).toBe(2_000_000);
      }),
    );

    it(
      'reaches a listener that is slower than the script, to its last byte',
      inFolder(async (folder) => {
        const { stdout } = await run(
          folder,
          'head -c 400000 /dev/zero | tr "\\0" a; echo end',
          {},
          {
            onChunk: async () => {
              await new Promise((resolve) => {
                setTimeout(resolve, 400);
              });
            },
          },
        );
        expect(stdout.length).toBe(400_004);
      }),
    );

    it(
      'does not hold a run whose script has ended beyond its limit, nor one that is stopped then',
      inFolder(async (folder) => {
        const stuck = async (): Promise<void> => await new Promise(() => {});
        const script = 'head -c 100000 /dev/zero; exit 0';
        expect((await run(folder, script, { timeoutMs: 1000 }, { onChunk: stuck })).end.cause).toBe('timed-out');
        const stop = new AbortController();
        const later = async (): Promise<void> => {
          setTimeout(() => stop.abort(), 1000);
          await stuck();
        };
        expect((await run(folder, script, {}, { stop: stop.signal, onChunk: later })).end.cause).toBe('canceled');
      }),
    );

    it(
      'does not hold a run that was stopped when the listener never takes it',
      inFolder(async (folder) => {
        const { end } = await run(
          folder,
          'yes',
          { timeoutMs: 300 },
          {
            onChunk: async () => {
              await new Promise(() => {});
            },
          },
        );
        expect(end.cause).toBe('timed-out');
      }),
    );

    it(
      'that a process outside of the group holds open does not hold the run',
      inFolder(async (folder) => {
        const { end, stdout } = await run(folder, 'setsid sleep 300 & echo $! > pid; echo done');
        expect(end).toMatchObject({ cause: 'exited', exitCode: 0 });
        expect(stdout).toBe('done\n');
        expect(isAlive(path.join(folder, 'pid'))).toBe(false);
      }),
    );
  });

  describe('what is certain', () => {
    it(
      'is told',
      inFolder(async (folder) => {
        const { proof, containment } = await run(folder, 'setsid sleep 300 & true');
        expect(containment.rung).toBe(rung.split(',')[0]);
        expect(proof.claim).toBe(isProven ? 'proven' : 'best effort');
      }),
    );
  });

  describe('haste', () => {
    it(
      'does not wait for a script that takes its time to end',
      inFolder(async (folder) => {
        const [stop, force] = [new AbortController(), new AbortController()];
        const { end } = await runIn(
          folder,
          // Whoever waits for it does not come to the end of the test.
          { ...options, stopGraceMs: 600_000 },
          'trap "" TERM; echo ready; while :; do sleep 0.05; done',
          {},
          {
            stop: stop.signal,
            force: force.signal,
            onChunk: async () => {
              stop.abort();
              force.abort();
            },
          },
        );
        expect(end).toMatchObject({ cause: 'canceled', signal: 'SIGKILL' });
      }),
    );
  });

  describe('a start', () => {
    it.each([
      ['of what is not there', { argv: ['/nowhere/bash'] }, /could not be started/],
      ['with too much environment', { env: { BIG: 'x'.repeat(3_000_000) } }, /E2BIG/],
      ['in a folder that is gone', { cwd: '/nowhere' }, /work folder is gone/],
    ] as const)('%s is a result, not an exception', async (_name, more, reason) => {
      const { end } = await inFolder(async (folder) => await run(folder, 'true', more))();
      expect(end.cause).toBe('spawn-failed');
      expect(end.reason).toMatch(reason);
    });

    it(
      'gives exactly the environment of the job, /dev/null as stdin, and no other descriptor',
      inFolder(async (folder) => {
        const { stdout } = await run(
          folder,
          'env -0 | tr "\\0" "\\n" | grep -vE "^(PWD|SHLVL|_|RUNBOOK_RUN_ID)=" ; readlink /proc/self/fd/0; exec ls /proc/self/fd',
          { env: { PATH: '/usr/bin:/bin', A: '1' } },
        );
        const lines = stdout.split('\n');
        expect(lines.slice(0, 3).sort()).toEqual(['/dev/null', 'A=1', 'PATH=/usr/bin:/bin']);
        // The last is the folder itself. Without a reaper a script inherits what the runner has inherited.
        expect(lines.slice(3, isProven ? undefined : 6)).toEqual(isProven ? ['0', '1', '2', '3', ''] : ['0', '1', '2']);
      }),
    );
  });
});
