import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isHome, placeOf } from '../../../../src/adapters/ledger/home.ts';

const HOME = { path: '/var/lib/runbook', host: 'ops-1', inode: '4711', born: '1795361876472832582' };

/** In a file system of its own. */
const at = (home: typeof HOME, name = 'not-there.sqlite') => ({ home, name, device: -1n });

describe('a ledger', () => {
  test.each<[what: string, change: Partial<typeof HOME>, expected: boolean]>([
    ['as it was left', {}, true],
    ['that was restored in its place', { inode: '4712', born: '9' }, true],
    ['of a container that has a new name', { host: 'f00dcafe' }, true],
    ['that was moved', { path: '/srv/runbook' }, true],
    ['that was moved, on a machine that has another name by now', { path: '/srv/runbook', host: 'ops-2' }, true],
    ['that was copied to another place', { path: '/srv/runbook', inode: '4712', born: '9' }, false],
    ['that was copied to the same place of another machine', { host: 'ops-2', inode: '4712', born: '9' }, false],
    ['of another file system, with the same inode by chance', { path: '/srv/runbook', born: '9' }, false],
  ])('%s: at home %#', (_, change, expected) => {
    expect(isHome(HOME, at({ ...HOME, ...change }))).toBe(expected);
  });

  test('of a snapshot, which has the same inodes, while what it was made of is still there', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'runbook-home-of-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'ledger.sqlite');
    writeFileSync(file, '');
    const original = placeOf(file);
    const mounted = { ...original, home: { ...original.home, path: '/mnt/snapshot' } };
    expect(isHome(original.home, mounted)).toBe(true);
    expect(isHome(original.home, { ...mounted, device: original.device + 1n })).toBe(false);
    rmSync(file);
    expect(isHome(original.home, { ...mounted, device: original.device + 1n })).toBe(true);
  });

  test('where no file says when it was made, the inode alone tells nothing of another place', () => {
    const without = { ...HOME, born: '0' };
    expect(isHome(without, at({ ...without, path: '/srv/runbook' }))).toBe(false);
    expect(isHome(without, at({ ...without, host: 'f00dcafe' }))).toBe(true);
  });
});
