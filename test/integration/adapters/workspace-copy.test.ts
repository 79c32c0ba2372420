/** Inputs on their way into the work folder: by descriptor, and by path where a system has no paths of descriptors. */
import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasDescriptors } from '../../../src/adapters/system/descriptors.ts';
import { copyByPath } from '../../../src/adapters/workspace/copy-by-path.ts';
import { copyInputs } from '../../../src/adapters/workspace/copy.ts';
import { times } from '../../helpers/property.ts';

const MIB = 1024 ** 2;

let folder: string;
let work: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-copied-')));
  work = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-copies-')));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await rm(`${folder}-beside`, { recursive: true, force: true });
  await rm(work, { recursive: true });
});
const signal = new AbortController().signal;
const put = async (name: string, text = name): Promise<void> => {
  await mkdir(path.join(folder, path.dirname(name)), { recursive: true });
  await writeFile(path.join(folder, name), text);
};
const copied = async (name: string): Promise<string> => await readFile(path.join(work, name), 'utf8');

describe.each([
  ['by descriptor', copyInputs],
  ['by path', copyByPath],
])('copying %s', (_way, copy) => {
  it('keeps the structure; a file in a declared folder may be declared as well', async () => {
    for (const name of ['a/b/one', 'a/two', 'c/d/three']) await put(name);
    await copy(folder, ['a', 'a/two', './c//d/three'], work, signal);
    expect((await readdir(work, { recursive: true })).sort()).toEqual(
      ['a', 'a/b', 'a/b/one', 'a/two', 'c', 'c/d', 'c/d/three'].sort(),
    );
    expect(await copied('c/d/three')).toBe('c/d/three');
  });

  it.each([
    [0o755, 0o755],
    [0o644, 0o644],
    [0o600, 0o600],
    [0o444, 0o644],
    [0o4755, 0o755],
  ])(
    'makes of a file with mode %o one with %o: private stays private, and the run can write to it',
    async (is, becomes) => {
      await put('file');
      await chmod(path.join(folder, 'file'), is);
      await copy(folder, ['file'], work, signal);
      expect((await stat(path.join(work, 'file'))).mode & 0o7777).toBe(becomes);
    },
  );

  it('follows the links of a Kubernetes ConfigMap', async () => {
    await put('..2026_11/settings', 'content');
    await put('..2026_11/deep/er', 'deeper');
    await symlink('..2026_11', path.join(folder, '..data'));
    for (const name of ['settings', 'deep']) await symlink(`..data/${name}`, path.join(folder, name));
    await copy(folder, ['settings', 'deep', 'deep/er'], work, signal);
    expect([await copied('settings'), await copied('deep/er')]).toEqual(['content', 'deeper']);
  });

  it.each([
    ['an absolute link', (): string => path.join(folder, 'data/file')],
    ['a link that goes out and comes in again', (): string => `../../${path.basename(folder)}/data/file`],
    ['a link by way of another', (): string => '../hop/file'],
    ['a link with dots', (): string => './.././/data/./file'],
  ])('follows %s while it ends inside', async (_name, target) => {
    await put('data/file', 'content');
    await symlink('data', path.join(folder, 'hop'));
    await mkdir(path.join(folder, 'in'));
    await symlink(target(), path.join(folder, 'in/link'));
    await copy(folder, ['in'], work, signal);
    expect(await copied('in/link')).toBe('content');
  });

  it('copies a folder that two links name twice', async () => {
    await put('data/file', 'content');
    await mkdir(path.join(folder, 'in'));
    for (const name of ['x', 'y']) await symlink('../data', path.join(folder, 'in', name));
    await copy(folder, ['in'], work, signal);
    expect([await copied('in/x/file'), await copied('in/y/file')]).toEqual(['content', 'content']);
  });

  it.each([
    ['a link out', async () => await symlink('/etc/hostname', path.join(folder, 'in')), 'leads out'],
    ['a relative link out', async () => await symlink('..', path.join(folder, 'in')), 'leads out'],
    [
      'a link to a folder beside with the same beginning',
      async () => {
        await mkdir(`${folder}-beside`);
        await symlink(`${folder}-beside`, path.join(folder, 'in'));
      },
      'leads out',
    ],
    [
      'a link behind a link',
      async () => {
        await symlink('/etc', path.join(folder, 'etc'));
        await symlink('etc/hostname', path.join(folder, 'in'));
      },
      'leads out',
    ],
    [
      'folders that hold each other by links',
      async () => {
        await put('in/a/file');
        await put('in/b/file');
        await symlink('../b', path.join(folder, 'in/a/to'));
        await symlink('../a', path.join(folder, 'in/b/to'));
      },
      'is a link to a folder that holds it',
    ],
    [
      'a link to the folder itself',
      async () => await symlink('.', path.join(folder, 'in')),
      'is a link to a folder that holds it',
    ],
    [
      'a FIFO in a folder',
      async () => {
        await mkdir(path.join(folder, 'in'));
        execFileSync('mkfifo', [path.join(folder, 'in/fifo')]);
      },
      'in/fifo is neither a file nor a folder',
    ],
  ])('refuses %s', async (_name, prepare, says) => {
    await prepare();
    await expect(copy(folder, ['in'], work, signal)).rejects.toMatchObject({
      code: 'requirements-unmet',
      message: expect.stringContaining(says) as string,
    });
  });

  it('takes memory of a few MiB for a file of any size', async () => {
    const size = times(192, 1024) * MIB;
    await put('big', '');
    await truncate(path.join(folder, 'big'), size);
    const before = process.memoryUsage();
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss() - before.rss);
    }, 5);
    await copy(folder, ['big'], work, signal);
    clearInterval(watch);
    console.log(`${size / MIB} MiB copied, memory grew by ${(peak / MIB).toFixed(0)} MiB at most`);
    expect((await stat(path.join(work, 'big'))).size).toBe(size);
    expect(peak).toBeLessThan(96 * MIB);
  });

  it('stops in the middle of a file', async () => {
    const size = 2048 * MIB;
    await put('big', '');
    await truncate(path.join(folder, 'big'), size);
    const stop = new AbortController();
    const copying = copy(folder, ['big'], work, stop.signal);
    // As soon as something of it is there.
    while ((await stat(path.join(work, 'big')).catch(() => null))?.size === undefined) await Promise.resolve();
    stop.abort();
    await expect(copying).rejects.toMatchObject({ code: 'busy' });
    expect((await stat(path.join(work, 'big'))).size).toBeLessThan(size);
  });
});

describe.skipIf(!hasDescriptors())('copying by descriptor only (needs Linux)', () => {
  it.each([
    ['missing', async () => await Promise.resolve()],
    ['a link that leads nowhere', async () => await symlink('none', path.join(folder, 'in'))],
    ['a link to itself', async () => await symlink('in', path.join(folder, 'in'))],
    [
      'a file where a folder is meant',
      async () => await put('file').then(async () => await symlink('file/x', path.join(folder, 'in'))),
    ],
    [
      'nested without end',
      async () => {
        await mkdir(path.join(folder, ['in', ...Array.from({ length: 200 }, () => 'd')].join('/')), {
          recursive: true,
        });
      },
    ],
  ])('says of an input that is %s that it is not met, and names it', async (_name, prepare) => {
    await prepare();
    await expect(copyInputs(folder, ['in'], work, signal)).rejects.toMatchObject({
      code: 'requirements-unmet',
      message: expect.stringMatching(/^Input in\b/) as string,
    });
  });

  it.each(['../x', 'a/../../x', '/etc/hostname', '..'])('does not look for %s', async (input) => {
    await expect(copyInputs(folder, [input], work, signal)).rejects.toMatchObject({ code: 'requirements-unmet' });
  });

  it('takes names as they are, also those that are no UTF-8', async () => {
    const name = Buffer.from([0x61, 0xff, 0x0a, 0xfe]);
    await mkdir(path.join(folder, 'in'));
    await writeFile(Buffer.concat([Buffer.from(`${folder}/in/`), name]), 'content');
    await writeFile(path.join(folder, 'in/ö 日本'), 'content');
    await copyInputs(folder, ['in'], work, signal);
    expect((await readdir(path.join(work, 'in'), 'buffer')).map((each) => each.toString('hex')).sort()).toEqual(
      [name, Buffer.from('ö 日本')].map((each) => each.toString('hex')).sort(),
    );
  });

  it('copies no more of a growing file than it had', async () => {
    const size = 8 * MIB + 100;
    await put('log', 'x'.repeat(size));
    const grower = execFileSync.bind(null, 'sh', ['-c', 'printf more >>"$0"', path.join(folder, 'log')]);
    const copying = copyInputs(folder, ['log'], work, signal);
    while ((await stat(path.join(work, 'log')).catch(() => null)) === null) await Promise.resolve();
    grower();
    await copying;
    expect((await stat(path.join(work, 'log'))).size).toBe(size);
  });

  it('leaves no descriptor open, whether it succeeds or not', async () => {
    const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
    await put('in/a/b/file');
    await copyInputs(folder, ['in'], work, signal);
    const before = await open();
    for (let turn = 0; turn < 20; turn += 1) await copyInputs(folder, ['in/a/b/file', 'in'], work, signal);
    await symlink('/etc', path.join(folder, 'in/a/b/out'));
    for (let turn = 0; turn < 20; turn += 1) {
      await expect(copyInputs(folder, ['in'], work, signal)).rejects.toThrow('leads out');
    }
    expect(await open()).toBeLessThan(before + 10);
  });
});
