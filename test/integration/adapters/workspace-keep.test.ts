/** Work folders that outlive their run, who may take them over, and when they go. */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace } from '../../../src/adapters/workspace/temporary.ts';
import type { WorkFolder, Workspace } from '../../../src/core/ports.ts';
import type { RunOwner } from '../../../src/core/run.ts';
import { times } from '../../helpers/property.ts';
import { OWNER } from '../../helpers/records.ts';

const FIRST = '01K0000000000000000000000A';
const SECOND = '01K0000000000000000000000B';
const THIRD = '01K0000000000000000000000C';
const HOUR_MS = 3_600_000;
const isRoot = process.geteuid?.() === 0;

let parent: string;
let workspace: Workspace;
beforeEach(async () => {
  parent = await realpath(await mkdtemp(path.join(tmpdir(), 'runbook-kept-')));
  workspace = createWorkspace({ parent, mountDir: '/host' });
});
afterEach(async () => {
  await rm(parent, { recursive: true });
});
const signal = new AbortController().signal;
const create = async (runId: string): Promise<WorkFolder> => await workspace.create(runId, parent, [], signal);
const rootOf = (runId: string): string => path.join(parent, `runbook-exec-${runId.toLowerCase()}`);
const everything = async (): Promise<readonly string[]> => (await readdir(parent, { recursive: true })).sort();
const later = (hours: number): Date => new Date(Date.now() + hours * HOUR_MS);
/** A folder that a run left, with a file of its own. */
async function leave(runId: string, outputs: ReadonlyMap<string, string> = new Map()): Promise<string> {
  const folder = await create(runId);
  await writeFile(path.join(folder.path, 'result'), runId);
  return await folder.keep(outputs);
}

describe('a folder that is kept', () => {
  it('stays where it is, private, without the control folder or what else lay beside the work folder', async () => {
    const folder = await create(FIRST);
    await folder.controlFile('1-script.bash', 'echo secret');
    await writeFile(path.join(folder.path, '../stray'), 'secret');
    await mkdir(path.join(folder.path, '../moved/deep'), { recursive: true });
    await writeFile(path.join(folder.path, 'result'), 'x');
    await chmod(path.dirname(folder.path), 0o777);
    expect(await folder.keep(new Map([['A', 'b']]))).toBe(folder.path);
    const root = `runbook-exec-${FIRST.toLowerCase()}`;
    expect(await everything()).toEqual([root, `${root}/kept.json`, `${root}/work`, `${root}/work/result`]);
    expect((await stat(rootOf(FIRST))).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(rootOf(FIRST), 'kept.json'))).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['took the control folder’s rights away', async (root: string) => await chmod(path.join(root, 'control'), 0o000)],
    ['put links beside it', async (root: string) => await symlink('/', path.join(root, 'link'))],
    [
      'put a name of no UTF-8 beside it',
      async (root: string) => await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), ''),
    ],
    ['forged what is remembered', async (root: string) => await symlink('/etc/passwd', path.join(root, 'kept.json'))],
  ])('is kept also where the script %s', async (_name, harm) => {
    const folder = await create(FIRST);
    await harm(rootOf(FIRST));
    await folder.keep(new Map([['A', 'b']]));
    expect((await readdir(rootOf(FIRST))).sort()).toEqual(['kept.json', 'work']);
    expect((await workspace.adopt(SECOND, FIRST, signal))?.outputs).toEqual(new Map([['A', 'b']]));
  });

  it.each([
    ['removed', async (work: string) => await rm(work, { recursive: true }), 'removed it'],
    [
      'replaced by a link',
      async (work: string) => {
        await rm(work, { recursive: true });
        await symlink('/etc', work);
      },
      'removed it',
    ],
    [
      'exchanged with all around it',
      async (work: string) => {
        await rename(path.dirname(work), path.join(parent, 'elsewhere'));
        await mkdir(work, { recursive: true });
      },
      'not the folder that was made any more',
    ],
  ])('is not kept where the script had it %s', async (_name, harm, says) => {
    const folder = await create(FIRST);
    await harm(folder.path);
    await expect(folder.keep(new Map())).rejects.toThrow(says);
    expect(await workspace.adopt(SECOND, FIRST, signal)).toBeNull();
  });
});

describe('a run that goes on from another', () => {
  it('gets the folder under its own name, the outputs, and an empty control folder', async () => {
    const outputs = new Map([
      ['10', 'ten'],
      ['TEXT', 'a\nb "c" \u{1F642}'],
      ['2', ''],
      ['__proto__', 'x'],
    ]);
    await leave(FIRST, outputs);
    const adopted = await workspace.adopt(SECOND, FIRST, signal);
    expect([...(adopted?.outputs ?? [])]).toEqual([...outputs]);
    const folder = adopted?.folder as WorkFolder;
    expect(folder.path).toBe(path.join(rootOf(SECOND), 'work'));
    expect(folder.hostPath).toBe(`/host/runbook-exec-${SECOND.toLowerCase()}/work`);
    expect(await readFile(path.join(folder.path, 'result'), 'utf8')).toBe(FIRST);
    await folder.controlFile('1-script.bash', 'true');
    expect(await folder.readControlFile('1-script.bash')).toBe('true');
    expect((await readdir(rootOf(SECOND))).sort()).toEqual(['control', 'work']);
    await folder.remove();
    expect(await everything()).toEqual([]);
  });

  it('can leave it again for a third', async () => {
    await leave(FIRST, new Map([['A', '1']]));
    const second = await workspace.adopt(SECOND, FIRST, signal);
    await second?.folder.keep(new Map([['A', '2']]));
    const third = await workspace.adopt(`${SECOND.slice(0, -1)}C`, SECOND, signal);
    expect(third?.outputs).toEqual(new Map([['A', '2']]));
    expect(await workspace.adopt(`${SECOND.slice(0, -1)}D`, FIRST, signal)).toBeNull();
  });

  it('can work in it also where the script had closed it', async () => {
    await chmod(await leave(FIRST), 0o000);
    const adopted = await workspace.adopt(SECOND, FIRST, signal);
    expect((await stat(adopted?.folder.path ?? '')).mode & 0o777).toBe(0o700);
  });

  it('gets nothing where nothing was kept, or the earlier run still has it', async () => {
    expect(await workspace.adopt(SECOND, FIRST, signal)).toBeNull();
    await create(FIRST);
    expect(await workspace.adopt(SECOND, FIRST, signal)).toBeNull();
    expect(await readdir(parent)).toEqual([path.basename(rootOf(FIRST))]);
  });

  it.each([
    ['open to others', async (root: string) => await chmod(root, 0o750)],
    [
      'a link',
      async (root: string) => {
        await rename(root, path.join(parent, 'planted'));
        await symlink('planted', root);
      },
    ],
    [
      'one whose work folder is a link',
      async (root: string) => {
        await rm(path.join(root, 'work'), { recursive: true });
        await symlink('/etc', path.join(root, 'work'));
      },
    ],
    [
      'one whose outputs are a link',
      async (root: string) => {
        await rename(path.join(root, 'kept.json'), path.join(parent, 'planted.json'));
        await symlink('../planted.json', path.join(root, 'kept.json'));
      },
    ],
    ['one whose outputs are torn', async (root: string) => await writeFile(path.join(root, 'kept.json'), '[["A","b"')],
    [
      'one whose outputs are no text',
      async (root: string) => await writeFile(path.join(root, 'kept.json'), '[["A",1]]'),
    ],
  ])('does not take over a folder that is %s', async (_name, plant) => {
    await leave(FIRST);
    await plant(rootOf(FIRST));
    expect(await workspace.adopt(SECOND, FIRST, signal)).toBeNull();
    expect((await lstat(rootOf(FIRST))).isDirectory() || _name === 'a link').toBe(true);
    await expect(lstat(rootOf(SECOND))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.skipIf(!isRoot)('does not take over a folder of somebody else (needs root)', async () => {
    await leave(FIRST);
    await chown(rootOf(FIRST), 65_534, 65_534);
    expect(await workspace.adopt(SECOND, FIRST, signal)).toBeNull();
  });

  it('is the only one, however many want it at once', async () => {
    const rounds = times(60, 2000);
    for (let round = 0; round < rounds; round += 1) {
      await leave(FIRST, new Map([['ROUND', String(round)]]));
      const ids = ['B', 'C', 'D', 'E'].map((end) => `${SECOND.slice(0, -1)}${end}`);
      const adopted = await Promise.all(ids.map(async (id) => await workspace.adopt(id, FIRST, signal)));
      const got = adopted.flatMap((each) => each ?? []);
      expect(got.map(({ outputs }) => outputs.get('ROUND'))).toEqual([String(round)]);
      await got[0]?.folder.remove();
      expect(await everything()).toEqual([]);
    }
  });

  it('that was stopped takes nothing', async () => {
    await leave(FIRST);
    await expect(workspace.adopt(SECOND, FIRST, AbortSignal.abort())).rejects.toMatchObject({ code: 'busy' });
    expect(await workspace.adopt(SECOND, FIRST, signal)).not.toBeNull();
  });

  it('leaves it for another try where it cannot make its own', async () => {
    await leave(FIRST, new Map([['A', 'b']]));
    await create(SECOND);
    await expect(workspace.adopt(SECOND, FIRST, signal)).rejects.toMatchObject({ code: 'io' });
    expect((await workspace.adopt(`${SECOND.slice(0, -1)}C`, FIRST, signal))?.outputs).toEqual(new Map([['A', 'b']]));
  });

  it('leaves it also where only the last steps fail', async () => {
    await leave(FIRST, new Map([['A', 'b']]));
    await mkdir(path.join(rootOf(FIRST), 'control'));
    await expect(workspace.adopt(SECOND, FIRST, signal)).rejects.toMatchObject({ code: 'io' });
    await rm(path.join(rootOf(FIRST), 'control'), { recursive: true });
    expect((await workspace.adopt(SECOND, FIRST, signal))?.outputs).toEqual(new Map([['A', 'b']]));
  });

  it.each(['../x', '', 'a/b', 'x'.repeat(65)])('does not look for a run %j', async (id) => {
    await expect(workspace.adopt(SECOND, id, signal)).rejects.toThrow('cannot name a work folder');
  });
});

const nobody = async (): Promise<null> => null;

describe('sweeping', () => {
  it('removes what a run that is over did not get to remove itself, and no other', async () => {
    await create(FIRST);
    await create(SECOND);
    await leave(THIRD);
    const before = await everything();
    await workspace.sweep(new Date(), async (runId) => (runId === SECOND ? null : 'over'));
    expect(await everything()).toEqual(before.filter((name) => !name.includes(FIRST.toLowerCase())));
  });

  it('finishes leaving a folder of a run that has ended, and of no other', async () => {
    for (const runId of [FIRST, SECOND]) {
      await leave(runId);
      await mkdir(path.join(rootOf(runId), 'control'));
      await writeFile(path.join(rootOf(runId), 'control', '1-script.sh'), 'a secret');
    }
    const before = await everything();
    await workspace.sweep(new Date(), nobody);
    expect(await everything()).toEqual(before);
    await workspace.sweep(new Date(), async (runId) => (runId === FIRST ? 'kept' : null));
    expect((await readdir(rootOf(FIRST))).sort()).toEqual(['kept.json', 'work']);
    expect((await readdir(rootOf(SECOND))).sort()).toEqual(['control', 'kept.json', 'work']);
  });

  it('removes after 24 h what was kept, and nothing before or besides', async () => {
    await leave(FIRST);
    await create(SECOND);
    for (const name of ['runbook-exec-notes', 'runbook-other']) await mkdir(path.join(parent, name), { mode: 0o700 });
    await writeFile(path.join(parent, `runbook-exec-${'x'.repeat(26)}`), '');
    const before = await everything();
    await workspace.sweep(later(23), nobody);
    expect(await everything()).toEqual(before);
    await workspace.sweep(later(25), nobody);
    expect(await everything()).toEqual(before.filter((name) => !name.includes(FIRST.toLowerCase())));
  });

  it('removes what a run without a record left whose owner is gone, and no other', async () => {
    const isGone = ({ pid }: RunOwner): boolean => pid === OWNER.pid;
    const ownedBy = async (runId: string, pid: number): Promise<void> => {
      const forgetful = createWorkspace({ parent, mountDir: null, owner: { ...OWNER, pid } });
      await forgetful.create(runId, parent, [], signal);
    };
    await ownedBy(FIRST, OWNER.pid);
    await ownedBy(SECOND, OWNER.pid + 1);
    await create(THIRD);
    await writeFile(path.join(rootOf(THIRD), 'owner.json'), '[');
    // Killed right after its folder was made, or as it wrote whose it is.
    const stillborn = ['0', '1'].map((n) => path.join(parent, `runbook-exec-stillborn${n.repeat(17)}`));
    for (const folder of stillborn) await mkdir(folder, { mode: 0o700 });
    await writeFile(path.join(stillborn[1] ?? '', 'owner.json'), '{"pid":');
    const before = await everything();
    const sweeper = createWorkspace({ parent, mountDir: null, isGone });
    expect(await sweeper.sweep(new Date(), nobody)).toEqual([FIRST]);
    const others = before.filter((name) => !name.includes(FIRST.toLowerCase()));
    expect(await everything()).toEqual(others);
    expect(await sweeper.sweep(later(25), nobody)).toEqual([]);
    expect(await everything()).toEqual(others.filter((name) => !name.includes('stillborn')));
  });

  it('goes on with what somebody could not finish removing', async () => {
    const gone = path.join(parent, `runbook-gone-${FIRST.toLowerCase()}`);
    await mkdir(path.join(gone, 'work/a'), { recursive: true });
    await chmod(gone, 0o700);
    await workspace.sweep(new Date(), nobody);
    expect(await everything()).toEqual([]);
  });

  it.each([
    [
      'a link',
      async (root: string) =>
        await rename(root, path.join(parent, 'planted')).then(async () => await symlink('planted', root)),
    ],
    ['open to others', async (root: string) => await chmod(root, 0o755)],
  ])('does not touch what is %s', async (_name, plant) => {
    await leave(FIRST);
    await plant(rootOf(FIRST));
    const before = await everything();
    await workspace.sweep(later(48), nobody);
    expect(await everything()).toEqual(before);
  });

  it.skipIf(!isRoot)('does not touch what is somebody else’s (needs root)', async () => {
    await leave(FIRST);
    await chown(rootOf(FIRST), 65_534, 65_534);
    await workspace.sweep(later(48), nobody);
    expect(await readdir(parent)).toEqual([path.basename(rootOf(FIRST))]);
  });

  it('never fails, also where there is no such folder', async () => {
    await createWorkspace({ parent: path.join(parent, 'none'), mountDir: null }).sweep(later(48), nobody);
    expect(await everything()).toEqual([]);
  });

  it('never removes what is being taken over: it is either gone or whole', async () => {
    let [taken, swept] = [0, 0];
    const rounds = times(60, 2000);
    for (let round = 0; round < rounds; round += 1) {
      await leave(FIRST);
      const expired = later(-25);
      await utimes(path.join(rootOf(FIRST), 'kept.json'), expired, expired);
      const [adopted] = await Promise.all([
        workspace.adopt(SECOND, FIRST, signal),
        pause(round % 4).then(async () => await workspace.sweep(new Date(), nobody)),
      ]);
      if (adopted === null) swept += 1;
      else {
        taken += 1;
        expect(await readFile(path.join(adopted.folder.path, 'result'), 'utf8')).toBe(FIRST);
        await adopted.folder.remove();
      }
      expect(await everything()).toEqual([]);
    }
    console.log(`taken over ${taken} times, swept ${swept} times`);
    expect(taken).toBeGreaterThan(0);
  });
});
