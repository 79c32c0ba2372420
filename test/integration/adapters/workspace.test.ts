import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemFacts } from '../../../src/adapters/facts/system.ts';
import { createWorkspace } from '../../../src/adapters/workspace/temporary.ts';
import { requires } from '../../helpers/requires.ts';
import type { FileRequirement } from '../../../src/core/runbook.ts';

let folder: string;
let parent: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-inputs-')));
  parent = await mkdtemp(path.join(tmpdir(), 'runbook-parent-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await rm(parent, { recursive: true });
});
const inputs = (...paths: readonly string[]): readonly FileRequirement[] =>
  paths.map((name) => ({ direction: 'input', path: name, line: 1 }));

const create = async (
  runId: string,
  from: string,
  files: readonly FileRequirement[],
  where = parent,
  signal = new AbortController().signal,
) => await createWorkspace({ parent: where, mountDir: '/host/exec' }).create(runId, from, files, signal);

describe('a work folder', () => {
  it('is told as the host sees it', async () => {
    const work = await create('01ABC', folder, []);
    expect(work.hostPath).toBe(path.join('/host/exec', path.relative(parent, work.path)));
  });

  it('is not made for a request that was stopped, and nothing of it stays', async () => {
    await writeFile(path.join(folder, 'in'), '');
    await expect(create('01ABC', folder, inputs('in'), parent, AbortSignal.abort())).rejects.toMatchObject({
      code: 'busy',
    });
    expect(await readdir(parent)).toEqual([]);
  });

  it.each([
    [
      'a FIFO',
      async (file: string) => {
        await rm(file);
        execFileSync('mkfifo', [file]);
      },
      'no plain file',
    ],
    [
      'a link',
      async (file: string) => {
        await rm(file);
        await symlink('/etc/hostname', file);
      },
      'no plain file',
    ],
    [
      'a folder',
      async (file: string) => {
        await rm(file);
        await mkdir(file);
      },
      'no plain file',
    ],
    [
      'too large',
      async (file: string) => {
        await writeFile(file, 'x'.repeat(1024 ** 2 + 1));
      },
      'larger than 1 MiB',
    ],
    [
      'removed',
      async (file: string) => {
        await rm(file);
      },
      'removed it',
    ],
  ])('reads no control file that became %s', async (_name, change, says) => {
    const work = await create('01ABC', folder, []);
    await change(await work.controlFile('out', ''));
    await expect(work.readControlFile('out')).rejects.toThrow(says);
  });

  it('is private, holds copies with their structure and modes, and is gone afterwards', async () => {
    await mkdir(path.join(folder, 'a/b'), { recursive: true });
    await writeFile(path.join(folder, 'a/b/tool'), 'x', { mode: 0o755 });
    await writeFile(path.join(folder, 'same'), 'top');
    await writeFile(path.join(folder, 'a/same'), 'below');
    await symlink('b/tool', path.join(folder, 'a/link'));
    const work = await create('01ABC', folder, inputs('a', 'same'));
    expect((await stat(work.path)).mode & 0o777).toBe(0o700);
    expect((await stat(path.dirname(work.path))).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(work.path, 'a/b/tool'))).mode & 0o777).toBe(0o755);
    expect(await readFile(path.join(work.path, 'same'), 'utf8')).toBe('top');
    expect(await readFile(path.join(work.path, 'a/same'), 'utf8')).toBe('below');
    expect(await readFile(path.join(work.path, 'a/link'), 'utf8')).toBe('x');
    await writeFile(path.join(work.path, 'same'), 'changed');
    expect(await readFile(path.join(folder, 'same'), 'utf8')).toBe('top');
    await work.remove();
    expect(await readdir(parent)).toEqual([]);
  });

  it('is removed although the script took its own permissions away, and no link is followed', async () => {
    const outside = path.join(folder, 'outside');
    await mkdir(outside);
    await writeFile(path.join(outside, 'keep'), 'x');
    const work = await create('01ABC', folder, []);
    await mkdir(path.join(work.path, 'locked/deep'), { recursive: true });
    await symlink(outside, path.join(work.path, 'locked/deep/link'));
    await chmod(path.join(work.path, 'locked/deep'), 0o000);
    await chmod(path.join(work.path, 'locked'), 0o000);
    await work.remove();
    expect(await readdir(parent)).toEqual([]);
    expect(await readdir(outside)).toEqual(['keep']);
  });

  it.each([
    ['a link out', async () => await symlink('/etc/hostname', path.join(folder, 'in'))],
    [
      'a link out deeper down',
      async () => {
        await mkdir(path.join(folder, 'in'));
        await symlink('/etc', path.join(folder, 'in/link'));
      },
    ],
    [
      'a FIFO',
      async () => {
        execFileSync('mkfifo', [path.join(folder, 'in')]);
        await Promise.resolve();
      },
    ],
  ])('is not made for %s, and nothing of it stays', async (_name, prepare) => {
    await prepare();
    await expect(create('01ABC', folder, inputs('in'))).rejects.toMatchObject({
      code: 'requirements-unmet',
    });
    expect(await readdir(parent)).toEqual([]);
  });

  it('is not made for a link to a folder that holds the link', async () => {
    await mkdir(path.join(folder, 'in'));
    await symlink('.', path.join(folder, 'in/loop'));
    await expect(create('01ABC', folder, inputs('in'))).rejects.toMatchObject({ code: 'requirements-unmet' });
  });

  it('where there is no place for it is an error that names the place', async () => {
    await expect(create('01ABC', folder, [], path.join(parent, 'none'))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('none') as string,
    });
  });
});

describe('facts', () => {
  it('tell of every input what is there', async () => {
    await mkdir(path.join(folder, 'dir'));
    await writeFile(path.join(folder, 'file'), '');
    await symlink('/etc/hostname', path.join(folder, 'out'));
    execFileSync('mkfifo', [path.join(folder, 'fifo')]);
    const facts = await createSystemFacts(new Map(Object.entries({ PATH: process.env['PATH'] ?? '' }))).inputs(
      folder,
      inputs('dir', 'file', 'out', 'fifo', 'none', '../x'),
    );
    expect([...facts.values()]).toEqual(['directory', 'file', 'outside', 'special', 'missing', 'outside']);
  });

  it('find an interpreter on the given PATH only, never in a relative folder', async () => {
    const facts = createSystemFacts(new Map(Object.entries({ PATH: process.env['PATH'] ?? '' })));
    await writeFile(path.join(folder, 'bash'), '#!/bin/sh\n', { mode: 0o755 });
    expect(await facts.interpreter('bash', folder)).toBe(path.join(folder, 'bash'));
    expect(await facts.interpreter('bash', path.relative(process.cwd(), folder))).toBeNull();
    expect(await facts.interpreter('bash', '')).toBeNull();
    expect(await facts.interpreter('sh', '')).toBe('/bin/sh');
  });

  it.skipIf(!requires('git'))(
    'know the commit of a document in a git work tree, and whether it was changed since (needs git)',
    async () => {
      const git = (...args: readonly string[]): string =>
        execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { encoding: 'utf8' });
      const document = path.join(folder, 'a.md');
      const facts = createSystemFacts(new Map(Object.entries({ PATH: process.env['PATH'] ?? '' })));
      await writeFile(document, 'one');
      expect(await facts.git(document)).toBeNull();
      git('init', '-q');
      git('add', '.');
      git('commit', '-qm', 'one');
      const commit = git('rev-parse', 'HEAD').trim();
      expect(await facts.git(document)).toEqual({ commit, dirty: false });
      await writeFile(document, 'two');
      expect(await facts.git(document)).toEqual({ commit, dirty: true });
      // What an environment (of a git hook, say) tells of another repository does not count.
      const misled = createSystemFacts(
        new Map([
          ['PATH', process.env['PATH'] ?? ''],
          ['GIT_DIR', '/nowhere'],
        ]),
      );
      expect(await misled.git(document)).toEqual({ commit, dirty: true });
    },
  );
});
