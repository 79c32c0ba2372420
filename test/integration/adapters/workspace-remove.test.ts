/** Work folders are gone afterwards, however hard a script made it; and nothing else is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, hasDescriptors, openEntry } from '../../../src/adapters/system/descriptors.ts';
import { removeByPath } from '../../../src/adapters/workspace/remove-by-path.ts';
import { removeTree } from '../../../src/adapters/workspace/remove.ts';
import { messageOf } from '../../../src/core/failures.ts';
import { failureOf } from '../../helpers/failure.ts';
import { times } from '../../helpers/property.ts';
import { requires } from '../../helpers/requires.ts';

const REMOVE = path.resolve(import.meta.dirname, '../../../src/adapters/workspace/remove.ts');
const isRoot = process.geteuid?.() === 0;
/** Takes the administrator's rights away and leaves the user: what a plain user may not do, fails. */
const WITHOUT_RIGHTS = ['--bounding-set=-all', '--inh-caps=-all'];
const canBePlain = !isRoot || requires('setpriv', ...WITHOUT_RIGHTS, 'true');
const canMount = requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt');
const canProtect = requires('sh', '-c', 'f=$(mktemp) && trap "rm $f" EXIT && chattr +i "$f" && chattr -i "$f"');

let base: string;
let folder: string;
let outside: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-removed-')));
  [folder, outside] = [path.join(base, 'root'), path.join(base, 'outside')];
  await mkdir(folder);
  await mkdir(outside);
  await writeFile(path.join(outside, 'canary'), 'x');
});
afterEach(async () => {
  const left = await readdir(outside);
  await rm(base, { recursive: true });
  if (left.join() !== 'canary') throw new Error('something outside was removed');
});
const put = async (name: string, mode = 0o644): Promise<void> => {
  await mkdir(path.join(folder, path.dirname(name)), { recursive: true });
  await writeFile(path.join(folder, name), '', { mode });
};
/** `removeTree(folder)` in a process of its own; started by `starter` where one is given. @returns what it throws */
async function removeElsewhere(...starter: readonly string[]): Promise<string> {
  const program = 'const { removeTree } = await import(process.argv[1]); await removeTree(process.argv[2]);';
  const node = [process.execPath, '--input-type=module', '-e', program, REMOVE, folder];
  const [command = '', ...args] = [...starter, ...node];
  const { stderr } = await execa(command, args, { reject: false });
  return /^Error: (.*)$/m.exec(stderr)?.[1] ?? stderr;
}

describe('a tree is removed', () => {
  it.each([
    ['by descriptor', removeTree],
    ['by path', removeByPath],
  ])('%s with links, which are not followed', async (_way, remove) => {
    await put('work/a/b/c');
    for (const name of ['link', 'work/link', 'work/a/b/link']) await symlink(outside, path.join(folder, name));
    await symlink(path.join(outside, 'canary'), path.join(folder, 'work/file'));
    await symlink('none', path.join(folder, 'work/dangling'));
    await remove(folder);
    expect(await readdir(base)).toEqual(['outside']);
  });

  it('that is gone already, or whose parent is', async () => {
    await rm(folder, { recursive: true });
    await removeTree(folder);
    await removeTree(path.join(folder, 'deeper'));
    expect(await readdir(base)).toEqual(['outside']);
  });

  it('below a link, which the user may have chosen', async () => {
    await put('work/file');
    await symlink('.', path.join(base, 'chosen'));
    await removeTree(path.join(base, 'chosen/root'));
    expect((await readdir(base)).sort()).toEqual(['chosen', 'outside']);
  });

  it('with thousands of files in 100 folders', async () => {
    const count = times(4000, 100_000);
    for (let index = 0; index < count; index += 1) {
      const name = path.join(folder, `work/${index % 100}`);
      if (index < 100) mkdirSync(name, { recursive: true });
      writeFileSync(path.join(name, String(index)), '');
    }
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    }, 0);
    const began = performance.now();
    await removeTree(folder);
    clearInterval(others);
    console.log(`${count} files removed in ${(performance.now() - began).toFixed(0)} ms, others had ${turns} turns`);
    expect(await readdir(base)).toEqual(['outside']);
    expect(turns).toBeGreaterThan(0);
  });

  it.skipIf(!hasDescriptors())('deeper than any path is long (needs Linux)', async () => {
    const [levels, name] = [times(600, 50_000), 'd'.repeat(200)];
    let { handle } = await openEntry(folder);
    for (let level = 0; level < levels; level += 1) {
      await mkdir(at(handle, name));
      await writeFile(at(handle, 'file'), '');
      const inner = await openEntry(at(handle, name));
      await handle.close();
      handle = inner.handle;
    }
    await handle.close();
    const began = performance.now();
    await removeTree(folder);
    console.log(`${levels} levels removed in ${(performance.now() - began).toFixed(0)} ms`);
    expect(await readdir(base)).toEqual(['outside']);
  });

  it('with names of any bytes', async () => {
    const names = [[0x0a], [0xff, 0xfe], [0x1b, 0x5b], [0x2d, 0x72], [0x20], [0x5c], [0xed, 0xa0, 0x80]].map((bytes) =>
      Buffer.from(bytes),
    );
    for (const name of names) {
      const inner = Buffer.concat([Buffer.from(`${folder}/`), name]);
      await mkdir(inner);
      await writeFile(Buffer.concat([inner, Buffer.from('/'), name]), '');
    }
    await removeTree(folder);
    expect(await readdir(base)).toEqual(['outside']);
  });

  it.skipIf(!isRoot)('with files and folders of somebody else (needs root)', async () => {
    await put('work/sub/file', 0o400);
    for (const name of ['work/sub/file', 'work/sub', 'work']) await chown(path.join(folder, name), 65_534, 65_534);
    await chmod(path.join(folder, 'work'), 0o500);
    await removeTree(folder);
    expect(await readdir(base)).toEqual(['outside']);
  });

  it('into which something writes to the last', async () => {
    for (let index = 0; index < 2000; index += 1) writeFileSync(path.join(folder, String(index)), '');
    mkdirSync(path.join(folder, 'work'));
    let writes = 0;
    // It begins when what is there has been listed, and ends before patience does.
    const writer = setInterval(() => {
      if (!existsSync(path.join(folder, '0')) && writes < 20) {
        writes += 1;
        writeFileSync(path.join(folder, `new-${writes}`), '');
      }
    }, 1);
    try {
      await removeTree(folder);
    } finally {
      clearInterval(writer);
    }
    expect(writes).toBeGreaterThan(0);
    expect(await readdir(base)).toEqual(['outside']);
  });

  it('into which something writes without end, only as far as possible, and that is said', async () => {
    const writer = spawn('sh', ['-c', 'echo; while [ -d "$0" ]; do : > "$0/file"; done 2>&-', folder], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(writer, 'exit');
    await once(writer.stdout, 'data');
    const failure = await failureOf(async () => await removeTree(folder));
    // It may have been removed between two writes.
    if (failure !== null) expect(messageOf(failure)).toContain('something still writes into it');
    writer.kill('SIGKILL');
    await ended;
    await removeTree(folder);
    expect(await readdir(base)).toEqual(['outside']);
  });
});

describe.skipIf(!canBePlain)('a plain user removes (needs setpriv as root)', () => {
  const plain = isRoot ? ['setpriv', ...WITHOUT_RIGHTS] : [];

  it('folders of mode 000 at every level, and trees that may only be read', async () => {
    for (const name of ['closed/a/b/file', 'readonly/a/b/file']) await put(`work/${name}`, 0o400);
    for (const name of ['readonly/a/b', 'readonly/a', 'readonly']) await chmod(path.join(folder, 'work', name), 0o555);
    for (const name of ['closed/a/b', 'closed/a', 'closed', '.']) await chmod(path.join(folder, 'work', name), 0o000);
    await chmod(folder, 0o000);
    expect(await removeElsewhere(...plain)).toBe('');
    expect(await readdir(base)).toEqual(['outside']);
  });

  it('closed folders that lie deep, with few descriptors', async () => {
    const names = Array.from({ length: 400 }, () => 'd');
    await put(`${names.join('/')}/file`);
    for (let depth = names.length; depth > 0; depth -= 1)
      await chmod(path.join(folder, ...names.slice(0, depth)), 0o000);
    const limited = ['sh', '-c', 'ulimit -n 120 && exec "$@"', 'sh'];
    expect(await removeElsewhere(...plain, ...limited)).toBe('');
    expect(await readdir(base)).toEqual(['outside']);
  });

  it.skipIf(!isRoot)('all but a folder of somebody else, and says so', async () => {
    for (const name of ['work/a', 'work/other/file', 'work/z']) await put(name);
    await chown(path.join(folder, 'work/other'), 65_534, 65_534);
    expect(await removeElsewhere(...plain)).toBe(
      'work/other/file belongs to another user (65534); have it removed by that user or an administrator',
    );
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(['work', 'work/other', 'work/other/file']);
  });
});

describe('what is in the way is said, and the rest is removed', () => {
  it.skipIf(!canProtect)('a file that may not be changed (needs chattr)', async () => {
    for (const name of ['work/a/protected', 'work/a/other', 'work/z']) await put(name);
    const file = path.join(folder, 'work/a/protected');
    await execa('chattr', ['+i', file]);
    const failure = await failureOf(async () => await removeTree(folder));
    await execa('chattr', ['-i', file]);
    expect(failure).toMatchObject({
      message:
        'work/a/protected is protected by an attribute; take it away with `chattr -R -ia` as an administrator and remove the folder by hand',
    });
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(['work', 'work/a', 'work/a/protected']);
  });

  it.skipIf(!canMount)('a mount, which is not entered (needs unshare)', async () => {
    for (const name of ['work/a', 'work/mount/hidden', 'work/z']) await put(name);
    const mounting = 'mount --bind "$0" "$1" && shift && exec "$@"';
    const inNamespace = ['unshare', '-rm', 'sh', '-c', mounting, outside, path.join(folder, 'work/mount')];
    expect(await removeElsewhere(...inNamespace)).toBe(
      'work/mount is a mount; unmount it and remove the folder by hand',
    );
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(['work', 'work/mount', 'work/mount/hidden']);
  });

  it.skipIf(!canMount)('a file that is mounted (needs unshare)', async () => {
    await put('work/file');
    const mounting = 'mount --bind "$0" "$1" && shift && exec "$@"';
    const inNamespace = [
      'unshare',
      '-rm',
      'sh',
      '-c',
      mounting,
      path.join(outside, 'canary'),
      path.join(folder, 'work/file'),
    ];
    expect(await removeElsewhere(...inNamespace)).toBe(
      'work/file is a mount or in use; unmount it and remove the folder by hand',
    );
  });

  it('a link in its place, also where it is not known what was there', async () => {
    await rm(folder, { recursive: true });
    await symlink(outside, folder);
    await expect(removeTree(folder)).rejects.toThrow('not the folder that was made any more');
  });

  it.each([
    ['a link', async () => await symlink(outside, folder)],
    ['a file', async () => await writeFile(folder, '')],
    ['another folder', async () => await mkdir(folder)],
  ])('%s in its place, which is left alone', async (_name, replace) => {
    const { dev, ino } = await stat(folder, { bigint: true });
    await rm(folder, { recursive: true });
    await writeFile(path.join(base, 'takes the number'), '');
    await replace();
    await expect(removeTree(folder, `${dev}-${ino}`)).rejects.toThrow('not the folder that was made any more');
    expect(await readdir(base)).toContain('root');
  });
});
