/** The tool is killed at one system call after the other, and its syncs fail: what it has said by then holds. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLanes } from '../helpers/lanes.ts';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { times } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';
import { createScene, runCli } from '../helpers/scene.ts';
import type { Disturbed, Ended } from '../helpers/scene.ts';

const CALLS = 'write,writev,pwrite64,pwritev,fsync,fdatasync,ftruncate,rename,unlink,mkdir';
const FILE = ['--history', 'file'];
const PRINTS = 'head -c 300000 /dev/zero | tr "\\0" x';

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
  const step = Math.max(1, all.length / count);
  return all.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step));
}

/** @param more how many calls behind it fare as it does */
async function runWith(scene: Disturbed, { name, nth }: Call, what: string, more = 0): Promise<Ended> {
  const injecting = ['-e', `trace=${name}`, '-e', `inject=${name}:${what}:when=${nth}..${nth + more}`];
  return await runCli(scene, FILE, {
    below: ['strace', '-f', '-qqq', '-b', 'execve', '-o', '/dev/null', ...injecting],
  });
}

describe.skipIf(!requires('strace'))('system calls (needs strace)', () => {
  it('killed at any of them, what was said holds and nothing is done twice', async () => {
    const scene = createScene(PRINTS);
    await runCli(scene, FILE);
    const all = await callsOf(scene);
    const calls = spread(all, times(20, 200));
    const lane = createLanes(2);
    const runs = await Promise.all(calls.map((call) => lane(async () => await runWith(scene, call, 'signal=KILL'))));
    await runCli(scene, FILE);
    const { findings, figures } = await examine(scene, scene.told);
    const killed = runs.filter(({ exitCode }) => exitCode === null).length;
    console.log(`${calls.length} of ${all.length} calls, ${killed} killed, ${JSON.stringify(figures)}`);
    expect(findings).toEqual(NOTHING_WRONG);
    expect(killed).toBeGreaterThan(calls.length / 2);
  });

  it('a sync that fails acknowledges nothing, an end is recorded all the same, and the next run works', async () => {
    const scene = createScene(PRINTS);
    await runCli(scene, FILE);
    const syncs = (await callsOf(scene)).filter(({ name }) => name.endsWith('sync'));
    const seen: string[] = [];
    let ofEnd: Call | null = null;
    for (const sync of syncs) {
      const { exitCode, runId, said } = await runWith(scene, sync, 'error=EIO');
      const what = said.find((line) => /error|EIO|IOERR/.test(line)) ?? 'nothing of it';
      const kind = KINDS.find(([pattern]) => pattern.test(what))?.[1] ?? what;
      seen.push(`${exitCode} ${runId === null ? 'not begun' : 'begun'}: ${kind}`);
      if (kind === 'the end') ofEnd = sync;
    }
    // It does not pass at the first look.
    if (ofEnd === null) throw new Error('no sync of an end has failed');
    expect((await runWith(scene, ofEnd, 'error=EIO', 2)).exitCode).toBe(0);
    // Each looked after the one before; the last is looked after here.
    expect((await runCli(scene, FILE)).exitCode).toBe(0);
    const { findings, figures } = await examine(scene, scene.told);
    console.log(`${syncs.length} syncs that failed, ${JSON.stringify(figures)}\n  ${seen.join('\n  ')}`);
    expect(findings).toEqual(NOTHING_WRONG);
    // Both transitions before the start are synced, each by itself.
    expect(seen.filter((one) => one === '74 not begun: the ledger').length).toBeGreaterThanOrEqual(2);
    // Of the ledger: at enqueue and begin nothing has begun, the end is tried again; output and entry are only warned of.
    expect([...new Set(seen)].sort()).toEqual([
      '0 begun: nothing of it',
      '0 begun: the end',
      '0 begun: the entry',
      '0 begun: the output',
      '74 not begun: the ledger',
    ]);
  });
});

const KINDS = [
  [/warning: The script has ended; waiting for the ledger, which could not be written: .*IOERR/, 'the end'],
  [/error: The ledger .* cannot be written or read \(SQLITE_IOERR_FSYNC\)/, 'the ledger'],
  [/warning: The output .* cannot be written \(EIO\)/, 'the output'],
  [/warning: .* has the entry, but it could not be synced \(EIO\)/, 'the entry'],
] as const;
