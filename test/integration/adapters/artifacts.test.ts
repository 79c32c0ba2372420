/** Declared outputs on their way out of a work folder that a script has filled as it liked. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  link,
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
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createArtifactStore } from '../../../src/adapters/artifacts/folder.ts';
import { byPath, reach } from '../../../src/adapters/artifacts/reach.ts';
import { isText } from '../../../src/adapters/artifacts/transfer.ts';
import type { MaskStream } from '../../../src/core/ports.ts';
import type { ArtifactRecord } from '../../../src/core/run.ts';
import { requires } from '../../helpers/requires.ts';

const RUN = '01K0000000000000000000000A';
const MIB = 1024 ** 2;
/** One file system of 4 MiB, for as long as the command runs. */
const canMount = requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt');

let base: string;
let work: string;
let stateDir: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-artifacts-')));
  [work, stateDir] = [path.join(base, 'work'), path.join(base, 'state')];
  await mkdir(work);
});
afterEach(async () => {
  await rm(base, { recursive: true });
});

/** Replaces `secret` wherever it is whole, also over two chunks: what is not yet told waits for more. */
function masking(): MaskStream {
  let rest = Buffer.alloc(0);
  const replace = (text: string): Buffer => Buffer.from(text.replaceAll('secret', '***'), 'latin1');
  return {
    write: (chunk) => {
      const text = Buffer.concat([rest, chunk]).toString('latin1').replaceAll('secret', '***');
      const cut = Math.max(0, text.length - 5);
      rest = Buffer.from(text.slice(cut), 'latin1');
      return replace(text.slice(0, cut));
    },
    end: () => replace(rest.toString('latin1')),
  };
}
const keep = async (paths: readonly string[], maxBytes = 100 * MIB): Promise<readonly ArtifactRecord[]> =>
  await createArtifactStore({ stateDir, maxBytes }).keep(RUN, work, paths, masking);
const read = async (name: string): Promise<string | undefined> =>
  (await createArtifactStore({ stateDir, maxBytes: 0 }).read(RUN, name))?.toString();
const put = async (name: string, content: string | Buffer = name): Promise<void> => {
  await mkdir(path.join(work, path.dirname(name)), { recursive: true });
  await writeFile(path.join(work, name), content);
};
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const reasons = (records: readonly ArtifactRecord[]): Record<string, string | null> =>
  Object.fromEntries(records.map((record) => [record.path, record.reason]));

describe('a declared file', () => {
  it('is kept privately, and can be read under its path', async () => {
    await put('out/report.txt', 'all well');
    expect(await keep(['out/report.txt'])).toEqual([
      { path: 'out/report.txt', bytes: 8, digest: sha256('all well'), masked: true, kept: true, reason: null },
    ]);
    expect(await read('out/report.txt')).toBe('all well');
    const modes = async (name: string): Promise<number> =>
      (await stat(path.join(stateDir, 'artifacts', name))).mode & 0o777;
    expect(await modes('.')).toBe(0o700);
    expect(await modes(`${RUN}/out`)).toBe(0o700);
    expect(await modes(`${RUN}/out/report.txt`)).toBe(0o600);
  });

  it('of text is masked, also across chunks, and described as it is kept', async () => {
    const [text, masked] = [`${'x'.repeat(65_533)}secret, secret`, `${'x'.repeat(65_533)}***, ***`];
    await put('log', text);
    expect(await keep(['log'])).toMatchObject([{ bytes: masked.length, digest: sha256(masked), masked: true }]);
    expect(await read('log')).toBe(masked);
  });

  it('of anything else is kept as it is', async () => {
    const content = Buffer.concat([Buffer.from('secret'), Buffer.from([0, 0xff, 0x80])]);
    await put('data', content);
    expect(await keep(['data'])).toMatchObject([{ bytes: 9, digest: sha256(content), masked: false, kept: true }]);
    expect(await createArtifactStore({ stateDir, maxBytes: 0 }).read(RUN, 'data')).toEqual(content);
  });

  it('may have another name as well', async () => {
    await put('file', 'x');
    await link(path.join(work, 'file'), path.join(work, 'second'));
    expect(await keep(['second'])).toMatchObject([{ kept: true, digest: sha256('x') }]);
  });

  it('may be empty, or bear any name', async () => {
    for (const name of ['empty', 'ö 日本', 'a\nb']) await put(name, '');
    expect((await keep(['empty', 'ö 日本', 'a\nb'])).map(({ kept, bytes }) => [kept, bytes])).toEqual([
      [true, 0],
      [true, 0],
      [true, 0],
    ]);
    expect(await read('a\nb')).toBe('');
  });

  it.each([
    ['was not written', async () => await Promise.resolve(), 'it was not written'],
    ['has a file in place of its folder', async () => await put('out'), 'it was not written'],
    [
      'is a link',
      async () =>
        await mkdir(path.join(work, 'out')).then(
          async () => await symlink('/etc/hostname', path.join(work, 'out/file')),
        ),
      'it is a link',
    ],
    [
      'lies behind a link',
      async () => await put('real/file').then(async () => await symlink('real', path.join(work, 'out'))),
      'it lies behind a link',
    ],
    [
      'is a FIFO',
      async () => {
        await mkdir(path.join(work, 'out'));
        execFileSync('mkfifo', [path.join(work, 'out/file')]);
      },
      'it is neither a file nor a folder',
    ],
    [
      'is an empty folder',
      async () => await mkdir(path.join(work, 'out/file'), { recursive: true }),
      'it is an empty folder',
    ],
  ])('that %s is not kept, and that is said', async (_name, prepare, reason) => {
    await prepare();
    expect(await keep(['out/file'])).toEqual([
      { path: 'out/file', bytes: 0, digest: null, masked: false, kept: false, reason },
    ]);
    expect(await read('out/file')).toBeUndefined();
  });

  it.each(['../state', '/etc/hostname', '.', '', 'a/../../x', 'a\0b'])('%j is not looked for', async (declared) => {
    expect(await keep([declared])).toMatchObject([{ kept: false, reason: 'it does not lie in the work folder' }]);
  });

  it('is not there where the script put a link in place of the work folder', async () => {
    await rm(work, { recursive: true });
    await mkdir(path.join(base, 'elsewhere'));
    await writeFile(path.join(base, 'elsewhere/file'), 'x');
    await symlink('elsewhere', work);
    expect(await keep(['file'])).toMatchObject([{ kept: false, reason: 'it lies behind a link' }]);
    await rm(work);
    expect(await keep(['file'])).toMatchObject([{ kept: false, reason: 'it was not written' }]);
  });
});

describe('a declared folder', () => {
  it('gives a record for each of its files, in order, each once', async () => {
    for (const name of ['out/b', 'out/a/2', 'out/a/1', 'other']) await put(name);
    await symlink('/etc', path.join(work, 'out/link'));
    await writeFile(Buffer.concat([Buffer.from(`${work}/out/`), Buffer.from([0xff])]), '');
    expect(reasons(await keep(['out', 'out/b', 'other']))).toEqual({
      'out/a/1': null,
      'out/a/2': null,
      'out/b': null,
      'out/link': 'it is a link',
      'out/\uFFFD': 'its name is not UTF-8',
      other: null,
    });
  });

  it('is bounded in its files', async () => {
    mkdirSync(path.join(work, 'out'));
    for (let index = 0; index < 1001; index += 1) writeFileSync(path.join(work, 'out', `f${index}`), '');
    const records = await keep(['out']);
    expect(records.filter(({ kept }) => kept)).toHaveLength(1000);
    expect(records.filter(({ kept }) => !kept)).toMatchObject([
      { path: 'out', reason: 'it holds more than the 1000 files that are kept of a folder' },
    ]);
    await rm(path.join(work, 'out/f0'));
    expect((await keep(['out'])).filter(({ kept }) => !kept)).toEqual([]);
  });

  it('is bounded in its folders, and in its depth', async () => {
    for (let index = 0; index < 3000; index += 1)
      mkdirSync(path.join(work, `wide/${index % 100}/${index}`), { recursive: true });
    let deep = path.join(work, 'deep');
    for (let level = 0; level < 15; level += 1) deep = path.join(deep, 'd'.repeat(200));
    mkdirSync(deep, { recursive: true });
    const records = reasons(await keep(['wide', 'deep']));
    expect(records['wide']).toBe('it holds more than the 1000 files that are kept of a folder');
    expect(Object.keys(records).length).toBeLessThan(2002);
    expect(Object.values(records)).toContain('its path is too long');
  });
});

describe('the room for a run', () => {
  it('is shared by its artifacts; what does not fit is left out whole', async () => {
    for (const [name, bytes] of Object.entries({ a: 600, b: 500, c: 400 })) await put(name, 'x'.repeat(bytes));
    const records = await keep(['a', 'b', 'c'], 1000);
    expect(records.map(({ kept, bytes }) => [kept, bytes])).toEqual([
      [true, 600],
      [false, 500],
      [true, 400],
    ]);
    expect(records[1]?.reason).toBe('it does not fit in the 1000 B that are kept of a run');
    expect(await readdir(path.join(stateDir, 'artifacts', RUN))).toEqual(['a', 'c']);
    expect(await readdir(path.join(stateDir, 'artifacts'))).toEqual([RUN]);
  });

  it('counts what masking makes of a file', async () => {
    await put('grows', 'a'.repeat(100));
    const growing = (): MaskStream => ({
      write: (chunk) => Buffer.alloc(chunk.length * 3, 'b'),
      end: () => Buffer.alloc(0),
    });
    const store = createArtifactStore({ stateDir, maxBytes: 299 });
    expect(await store.keep(RUN, work, ['grows'], growing)).toMatchObject([{ kept: false, bytes: 100 }]);
    expect(await readdir(path.join(stateDir, 'artifacts'))).toEqual([RUN]);
  });

  it('is not taken for the size of a file that only seems large', async () => {
    await put('sparse', '');
    await truncate(path.join(work, 'sparse'), 2 ** 40);
    expect(await keep(['sparse'])).toMatchObject([
      { kept: false, bytes: 2 ** 40, reason: 'it does not fit in the 100.0 MiB that are kept of a run' },
    ]);
  });
});

describe('what goes wrong on our side', () => {
  it('a masker that breaks keeps nothing of its file, and all of the others', async () => {
    await put('text', 'secret');
    await put('data', Buffer.from([0]));
    const broken = (): MaskStream => ({
      write: () => {
        throw new Error('the masker broke');
      },
      end: () => Buffer.alloc(0),
    });
    const records = await createArtifactStore({ stateDir, maxBytes: MIB }).keep(RUN, work, ['text', 'data'], broken);
    expect(reasons(records)).toEqual({ text: 'it could not be kept: the masker broke', data: null });
    expect(await readdir(path.join(stateDir, 'artifacts'))).toEqual([RUN]);
    expect(await readdir(path.join(stateDir, 'artifacts', RUN))).toEqual(['data']);
  });

  it('a place that cannot be written to is said of each', async () => {
    await put('text');
    await mkdir(stateDir);
    await writeFile(path.join(stateDir, 'artifacts'), 'in the way');
    expect(await keep(['text', 'none'])).toMatchObject([
      { kept: false, bytes: 4, reason: expect.stringMatching(/^it could not be kept: /) as string },
      { kept: false, bytes: 0, reason: 'it was not written' },
    ]);
  });

  it.skipIf(!canMount)('a full disk leaves no torn file, and the last MiB to the ledger (needs unshare)', async () => {
    for (const name of ['a', 'b']) await put(name, Buffer.alloc(3 * MIB, name));
    await put('c', Buffer.alloc(1.5 * MIB, 'c'));
    await mkdir(stateDir);
    const adapter = path.resolve(import.meta.dirname, '../../../src/adapters/artifacts/folder.ts');
    const program = `
      const [adapter, stateDir, run, work] = process.argv.slice(1);
      const { createArtifactStore } = await import(adapter);
      const { readdirSync, statSync } = await import('node:fs');
      const mask = () => ({ write: (chunk) => Buffer.from(chunk), end: () => Buffer.alloc(0) });
      const records = await createArtifactStore({ stateDir, maxBytes: 2 ** 30 }).keep(run, work, ['a', 'b', 'c'], mask);
      const files = readdirSync(stateDir, { recursive: true }).map((name) => [name, statSync(stateDir + '/' + name)]);
      const sizes = files.filter(([, facts]) => facts.isFile()).map(([name, { size }]) => [name, size]);
      console.log(JSON.stringify({ reasons: records.map(({ reason }) => reason), sizes }));`;
    const mounting = 'mount -t tmpfs -o size=5m none "$0" && exec "$@"';
    const node = [process.execPath, '--input-type=module', '-e', program, adapter, stateDir, RUN, work];
    const { stdout } = await execa('unshare', ['-rm', 'sh', '-c', mounting, stateDir, ...node]);
    const full = 'the disk is nearly full';
    expect(JSON.parse(stdout)).toEqual({
      reasons: [null, full, full],
      sizes: [[`artifacts/${RUN}/a`, 3 * MIB]],
    });
  });

  it('what an earlier attempt left aside is of no matter', async () => {
    await put('a', 'new');
    await mkdir(path.join(stateDir, 'artifacts'), { recursive: true });
    await writeFile(path.join(stateDir, 'artifacts', `${RUN}.partial`), 'much longer than new');
    await keep(['a']);
    expect(await read('a')).toBe('new');
    expect(await readdir(path.join(stateDir, 'artifacts'))).toEqual([RUN]);
  });

  it('a run whose id could lead elsewhere is a bug', async () => {
    const store = createArtifactStore({ stateDir, maxBytes: 1 });
    await expect(store.keep('../x', work, ['a'], masking)).rejects.toThrow('cannot name a folder of artifacts');
  });
});

describe('reading', () => {
  it.each(['', '.', '..', '../a', 'x/../a', '/a', 'a/', 'none', 'a/b', 'folder', 'link', 'a\0', 'x'.repeat(300)])(
    '%j gives nothing',
    async (name) => {
      await put('a');
      await put('folder/file');
      await keep(['a', 'folder']);
      await symlink('a', path.join(stateDir, 'artifacts', RUN, 'link'));
      expect(await read(name)).toBeUndefined();
      expect(await read('a')).toBe('a');
    },
  );

  it('gives nothing of another run, or of a name that is none', async () => {
    await put('a');
    await keep(['a']);
    const store = createArtifactStore({ stateDir, maxBytes: 0 });
    for (const run of [`${RUN.slice(0, -1)}B`, '..', '', `${RUN}/..`]) expect(await store.read(run, 'a')).toBeNull();
  });
});

describe('the way down', () => {
  it('is the same by descriptor and by path', async () => {
    for (const name of ['a/b/file', 'a/ö']) await put(name);
    await symlink('a', path.join(work, 'to'));
    execFileSync('mkfifo', [path.join(work, 'fifo')]);
    const ways = [[], ['a'], ['a', 'b', 'file'], ['a', 'b'], ['to'], ['to', 'b'], ['fifo']];
    for (const names of ways) {
      const [one, other] = [await reach(work, names, 10), await byPath(work, names, 10)];
      for (const reached of [one, other]) if (reached.kind === 'file') await reached.handle.close();
      expect(one.kind).toBe(other.kind);
      if (one.kind === 'folder') expect(one).toEqual(other);
    }
    await expect(byPath(work, ['a', 'none'], 10)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('leaves no descriptor open', async () => {
    await put('a/b/file');
    await symlink('a', path.join(work, 'to'));
    const open = async (): Promise<number> => (await readdir('/dev/fd')).length;
    await keep(['a', 'to', 'to/b', 'none']);
    const before = await open();
    for (let turn = 0; turn < 30; turn += 1) {
      await keep(['a', 'to', 'to/b', 'none']);
      await read('a/b/file');
    }
    expect(await open()).toBeLessThan(before + 10);
  });
});

describe('text', () => {
  it.each([
    ['', true, true],
    ['plain\n', true, true],
    ['ö', true, true],
    [Buffer.from('ö').subarray(0, 1), false, true],
    [Buffer.from('ö').subarray(0, 1), true, false],
    [Buffer.from([0xff]), false, false],
    ['a\0', true, false],
    ['\u001B[31mred', true, true],
  ])('%j (whole: %s): %s', (head, isWhole, expected) => {
    expect(isText(Buffer.from(head), isWhole)).toBe(expected);
  });

  it('is told by the first 64 KiB, though a character is cut there', async () => {
    await put('long', `${'x'.repeat(65_535)}öö`);
    await put('late', Buffer.concat([Buffer.alloc(65_536, 'x'), Buffer.from([0])]));
    await put('early', Buffer.concat([Buffer.alloc(65_535, 'x'), Buffer.from([0])]));
    expect((await keep(['long', 'late', 'early'])).map(({ masked }) => masked)).toEqual([true, true, false]);
    expect(await readFile(path.join(stateDir, 'artifacts', RUN, 'long'), 'utf8')).toBe(`${'x'.repeat(65_535)}öö`);
  });
});
