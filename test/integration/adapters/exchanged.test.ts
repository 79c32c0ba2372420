/** Files, folders and links change places while they are looked at, copied and read; nothing from outside comes along. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderSource } from '../../../src/adapters/source/folder.ts';
import { createWorkspace } from '../../../src/adapters/workspace/temporary.ts';
import { RunbookError } from '../../../src/core/errors.ts';
import { canExchange, whileExchanging } from '../../helpers/exchanger.ts';
import { times } from '../../helpers/property.ts';

const CANARY = 'canary';
/** Bounds a wait that would never end; nothing here comes near it. */
const PATIENCE_MS = 10_000;

let base: string;
let folder: string;
/** What the names inside are exchanged with. */
let spare: string;
let parent: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-exchanged-')));
  [folder, spare, parent] = ['folder', 'spare', 'parent'].map((name) => path.join(base, name)) as [
    string,
    string,
    string,
  ];
  for (const name of [folder, spare, parent, path.join(base, 'outside')]) await mkdir(name);
  await writeFile(path.join(base, 'outside/file'), CANARY);
});
afterEach(async () => {
  await rm(base, { recursive: true });
});

interface Tally {
  copied: number;
  refused: number;
  leaked: number;
  slowestMs: number;
}

/** One run's work folder, made of the inputs and removed again. */
async function copyOnce(tally: Tally, names: readonly string[]): Promise<void> {
  const inputs = names.map((name) => ({ direction: 'input' as const, path: name, line: 1 }));
  const began = performance.now();
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const work = await createWorkspace({ parent, mountDir: null }).create('01ABC', folder, inputs, signal);
    tally.copied += 1;
    for (const entry of await readdir(work.path, { recursive: true, withFileTypes: true })) {
      const text = entry.isFile() ? await readFile(path.join(entry.parentPath, entry.name), 'utf8') : '';
      if (text === CANARY) tally.leaked += 1;
    }
    await work.remove();
  } catch (error) {
    if (!(error instanceof RunbookError) || error.code !== 'requirements-unmet') throw error;
    tally.refused += 1;
  }
  tally.slowestMs = Math.max(tally.slowestMs, performance.now() - began);
}

const told = (tally: Tally, swaps: number): string =>
  `${swaps} exchanges: copied ${tally.copied} times, refused ${tally.refused}, leaked ${tally.leaked}, slowest ${tally.slowestMs.toFixed(0)} ms`;

describe.skipIf(!canExchange)('inputs whose names change places (needs python3)', () => {
  it.each([
    [
      'a file with a link out',
      times(6000, 60_000),
      async () => {
        await writeFile(path.join(folder, 'in/file'), 'good');
        await symlink(path.join(base, 'outside/file'), path.join(spare, 'x'));
        return [['in/file', 'x']] as const;
      },
    ],
    [
      'a folder with a link out',
      times(6000, 60_000),
      async () => {
        await mkdir(path.join(folder, 'in/sub'));
        await writeFile(path.join(folder, 'in/sub/file'), 'good');
        await symlink(path.join(base, 'outside'), path.join(spare, 'x'));
        return [['in/sub', 'x']] as const;
      },
    ],
    [
      'a link inside with a link out',
      times(2000, 20_000),
      async () => {
        await writeFile(path.join(folder, 'data'), 'good');
        await symlink('../data', path.join(folder, 'in/file'));
        await symlink('../../outside/file', path.join(spare, 'x'));
        return [['in/file', 'x']] as const;
      },
    ],
    [
      'a file with a FIFO that nobody writes to',
      times(2000, 20_000),
      async () => {
        await writeFile(path.join(folder, 'in/file'), 'good');
        execFileSync('mkfifo', [path.join(spare, 'x')]);
        return [['in/file', 'x']] as const;
      },
    ],
  ])('%s: nothing from outside is copied, nothing is waited for', async (_name, swaps, prepare) => {
    await mkdir(path.join(folder, 'in'));
    const pairs = (await prepare()).map(([a, b]) => [path.join(folder, a), path.join(spare, b)] as const);
    const tally: Tally = { copied: 0, refused: 0, leaked: 0, slowestMs: 0 };
    const done = await whileExchanging(pairs, swaps, async () => {
      await copyOnce(tally, ['in']);
    });
    console.log(told(tally, swaps));
    expect(tally.leaked).toBe(0);
    // Both must have been met, or nothing was tried.
    expect(tally.copied).toBeGreaterThan(0);
    expect(tally.refused).toBeGreaterThan(0);
    expect(tally.copied + tally.refused).toBe(done);
    expect(await readdir(parent)).toEqual([]);
  });

  it('the runbook’s own folder with a link out', async () => {
    const [inner, swaps] = [path.join(folder, 'inner'), times(2000, 20_000)];
    await mkdir(inner);
    await writeFile(path.join(inner, 'file'), 'good');
    await symlink(path.join(base, 'outside'), path.join(spare, 'x'));
    const tally: Tally = { copied: 0, refused: 0, leaked: 0, slowestMs: 0 };
    const workspace = createWorkspace({ parent, mountDir: null });
    await whileExchanging([[inner, path.join(spare, 'x')]], swaps, async () => {
      const began = performance.now();
      const inputs = [{ direction: 'input', path: 'file', line: 1 }] as const;
      const signal = new AbortController().signal;
      const work = await workspace.create('01ABC', inner, inputs, signal).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'io' });
        return null;
      });
      if (work === null) tally.refused += 1;
      else if ((await readFile(path.join(work.path, 'file'), 'utf8')) === CANARY) tally.leaked += 1;
      else tally.copied += 1;
      await work?.remove();
      tally.slowestMs = Math.max(tally.slowestMs, performance.now() - began);
    });
    console.log(told(tally, swaps));
    expect(tally).toMatchObject({ leaked: 0 });
    expect(Math.min(tally.copied, tally.refused)).toBeGreaterThan(0);
  });
});

describe.skipIf(!canExchange)('a document whose name changes places (needs python3)', () => {
  it.each([
    ['with a link out', async () => await symlink(path.join(base, 'outside/file'), path.join(spare, 'x')), 'Doc.md'],
    [
      'with a FIFO that nobody writes to',
      async () => {
        execFileSync('mkfifo', [path.join(spare, 'x')]);
        await Promise.resolve();
      },
      'Doc.md',
    ],
    [
      'in a folder that is exchanged for a link out, as that of a ConfigMap',
      async () => {
        await rm(path.join(folder, 'Doc.md'));
        await mkdir(path.join(folder, 'now'));
        await writeFile(path.join(folder, 'now/Doc.md'), 'good');
        await symlink('now/Doc.md', path.join(folder, 'Doc.md'));
        await writeFile(path.join(base, 'outside/Doc.md'), CANARY);
        await symlink(path.join(base, 'outside'), path.join(spare, 'x'));
      },
      'now',
    ],
  ])('%s is the one inside, or refused', async (_name, prepare, exchanged) => {
    const swaps = times(2000, 20_000);
    await writeFile(path.join(folder, 'Doc.md'), 'good');
    await prepare();
    const source = createFolderSource({ folder, cwd: base });
    const [seen, refused] = [new Set<string>(), new Set<string>()];
    const pair = [path.join(folder, exchanged), path.join(spare, 'x')] as const;
    const loads = await whileExchanging([pair], swaps, async () => {
      try {
        seen.add((await source.load('Doc')).bytes.toString());
        for (const { bytes } of await source.list()) if (bytes !== null) seen.add(bytes.toString());
      } catch (error) {
        refused.add(error instanceof RunbookError ? error.code : String(error));
      }
    });
    console.log(`${swaps} exchanges: read ${loads} times, ${[...seen].join()}, refused as ${[...refused].join()}`);
    expect([...seen]).toEqual(['good']);
    expect([...refused]).toEqual(['usage']);
  });
});
