/** The tool is killed at one system call after the other, and its syncs fail: what it has said by then holds. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLanes } from '../helpers/lanes.ts';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { times } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';
import { createScene, runCli } from '../helpers/scene.ts';
import type { Disturbed } from '../helpers/scene.ts';

const CALLS = 'write,writev,pwrite64,pwritev,fsync,fdatasync,ftruncate,rename,unlink,mkdir';
const FILE = ['--history', 'file'];

interface Call {
  readonly name: string;
  /** The n-th of its name in a thread, from 1. */
  readonly nth: number;
}

/** Every call of the main thread that changes something, in a run that nothing disturbs. Scripts are let go. */
async function callsOf(scene: Disturbed): Promise<readonly Call[]> {
  const trace = path.join(scene.home.folder, 'trace');
  await runCli(scene, FILE, { below: ['strace', '-f', '-b', 'execve', '-o', trace, '-e', `trace=${CALLS}`] });
  const lines = readFileSync(trace, 'utf8').split('\n');
  const [main] = lines[0]?.split(' ') ?? [];
  const seen = new Map<string, number>();
  return lines.flatMap((line) => {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (name === undefined || thread !== main) return [];
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return [{ name, nth: seen.get(name) ?? 0 }];
  });
}

/** So many of them, evenly. */
function spread<T>(all: readonly T[], count: number): readonly T[] {
  return all.length <= count
    ? all
    : Array.from({ length: count }, (_, n) => all[Math.floor((n * all.length) / count)] as T);
}

const injecting = ({ name, nth }: Call, what: string): readonly string[] => [
  'strace',
  '-f',
  '-qqq',
  '-b',
  'execve',
  '-o',
  '/dev/null',
  '-e',
  `trace=${name}`,
  '-e',
  `inject=${name}:${what}:when=${nth}`,
];

describe.skipIf(!requires('strace'))('system calls (needs strace)', () => {
  it('killed at any of them, what was said holds and nothing is done twice', async () => {
    const scene = createScene('head -c 300000 /dev/zero | tr "\\0" x');
    await runCli(scene, FILE);
    const all = await callsOf(scene);
    const calls = spread(all, times(20, 200));
    let killed = 0;
    const lane = createLanes(2);
    await Promise.all(
      calls.map((call) =>
        lane(async () => {
          const { exitCode } = await runCli(scene, FILE, { below: injecting(call, 'signal=KILL') });
          if (exitCode === null) killed += 1;
        }),
      ),
    );
    await runCli(scene, FILE);
    const { findings, figures } = await examine(scene, scene.told);
    console.log(
      `${calls.length} of ${all.length} calls, ${killed} killed, ${scene.told.length} told:`,
      JSON.stringify(figures),
    );
    expect(findings).toEqual(NOTHING_WRONG);
    expect(killed).toBeGreaterThan(calls.length / 2);
  });

  it.each(['fsync', 'fdatasync'])('a %s that fails acknowledges nothing that is not durable', async (name) => {
    const scene = createScene('head -c 300000 /dev/zero | tr "\\0" x');
    await runCli(scene, FILE);
    const all = (await callsOf(scene)).filter((call) => call.name === name);
    for (const call of all) {
      const r = await runCli(scene, FILE, { below: injecting(call, 'error=EIO') });
      console.log(call, r);
    }
    await runCli(scene, FILE);
    const { findings, figures } = await examine(scene, scene.told);
    console.log(`${all.length}, ${scene.told.length} told:`, JSON.stringify(figures), JSON.stringify(findings));
  });
});
