import { describe, expect, test } from 'vitest';
import { isHome } from '../../../../src/adapters/ledger/home.ts';

const HOME = { path: '/var/lib/runbook', host: 'ops-1', inode: '4711', born: '1795361876472832582' };

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
    expect(isHome(HOME, { ...HOME, ...change })).toBe(expected);
  });

  test('where no file says when it was made, the inode alone tells nothing of another place', () => {
    const without = { ...HOME, born: '0' };
    expect(isHome(without, { ...without, path: '/srv/runbook' })).toBe(false);
    expect(isHome(without, { ...without, host: 'f00dcafe' })).toBe(true);
  });
});
