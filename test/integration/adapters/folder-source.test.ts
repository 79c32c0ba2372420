import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderSource, findRunbooksFolder } from '../../../src/adapters/source/folder.ts';
import { isInside } from '../../../src/core/paths.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-source-')));
  await mkdir(path.join(folder, 'runbooks'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const put = async (name: string, text = '# x\n'): Promise<void> => {
  await writeFile(path.join(folder, name), text);
};
const source = () => createFolderSource({ folder: path.join(folder, 'runbooks'), cwd: folder });

describe('a reference', () => {
  it.each(['Drain', 'Drain.md', './runbooks/Drain.md', 'runbooks/Drain.md'])(
    '%s is the document',
    async (reference) => {
      await put('runbooks/Drain.md');
      expect(await source().load(reference)).toMatchObject({
        path: path.join(folder, 'runbooks/Drain.md'),
        fileName: 'Drain.md',
        displayPath: 'runbooks/Drain.md',
      });
    },
  );

  it('that is a file here wins over a name only with its ending', async () => {
    await put('runbooks/Drain.md', 'in the folder');
    await put('Drain.md', 'here');
    expect((await source().load('Drain.md')).bytes.toString()).toBe('here');
    expect((await source().load('Drain')).bytes.toString()).toBe('in the folder');
  });

  it.each(['', 'a\0b'])('%j is refused', async (reference) => {
    await expect(source().load(reference)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('links', () => {
  it('count where they can be opened: not those that lead out or nowhere, nor folders, nor devices', async () => {
    await put('Outside.md');
    await put('runbooks/Own.md');
    await put('runbooks/.Hidden.md');
    await mkdir(path.join(folder, 'runbooks/Folder.md'));
    const links = { Out: '../Outside.md', Nowhere: 'None.md', Round: 'Round.md', Device: '/dev/null', In: 'Own.md' };
    for (const [name, target] of Object.entries(links)) await symlink(target, path.join(folder, `runbooks/${name}.md`));
    expect([await source().names(), await source().count()]).toEqual([['In', 'Own'], 2]);
    // Those that can be opened are the same.
    const readable = (await source().list()).filter(({ bytes }) => bytes !== null);
    expect(readable.map(({ fileName }) => fileName)).toEqual(['In.md', 'Own.md']);
  });

  it('in the layout of a Kubernetes ConfigMap are documents', async () => {
    await mkdir(path.join(folder, 'runbooks/..2026_11'));
    await put('runbooks/..2026_11/Drain.md', 'content');
    await symlink('..2026_11', path.join(folder, 'runbooks/..data'));
    await symlink('..data/Drain.md', path.join(folder, 'runbooks/Drain.md'));
    expect((await source().load('Drain')).bytes.toString()).toBe('content');
    expect((await source().list()).map(({ fileName }) => fileName)).toEqual(['Drain.md']);
  });

  it('that lead out of the folder are refused by name, and not listed as readable', async () => {
    await put('Outside.md');
    await symlink('../Outside.md', path.join(folder, 'runbooks/Link.md'));
    await expect(source().load('Link')).rejects.toMatchObject({ code: 'usage' });
    expect(await source().count()).toBe(0);
    expect(await source().list()).toMatchObject([{ fileName: 'Link.md', bytes: null }]);
  });
});

describe('list', () => {
  it('has every document in order, without dot files, and names the unreadable', async () => {
    for (const name of ['b.md', 'a.md', '.hidden.md', 'notes.txt']) await put(`runbooks/${name}`);
    await mkdir(path.join(folder, 'runbooks/folder.md'));
    const listed = await source().list();
    expect(listed.map(({ fileName, bytes }) => [fileName, bytes !== null])).toEqual([
      ['a.md', true],
      ['b.md', true],
      ['folder.md', false],
    ]);
  });
});

describe('findRunbooksFolder', () => {
  it('goes up to the root of the repository and no further', async () => {
    await mkdir(path.join(folder, 'repository/.git'), { recursive: true });
    await mkdir(path.join(folder, 'repository/a/b'), { recursive: true });
    expect(await findRunbooksFolder(path.join(folder, 'repository/a/b'))).toBeNull();
    await mkdir(path.join(folder, 'repository/runbooks'));
    expect(await findRunbooksFolder(path.join(folder, 'repository/a/b'))).toBe(
      path.join(folder, 'repository/runbooks'),
    );
  });
});

describe('isInside', () => {
  it.each([
    ['/a', '/a/b', true],
    ['/a', '/a', true],
    ['/a', '/ab', false],
    ['/a/b', '/a', false],
    ['/', '/a', true],
  ])('%s, %s: %s', (root, target, expected) => {
    expect(isInside(root, target)).toBe(expected);
  });
});
