/** When the owner of a run counts as dead: by real processes, and by leases where none can be looked at. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createOwners } from '../../../src/adapters/system/owner.ts';
import type { RunOwner } from '../../../src/core/run.ts';

const owners = createOwners();
const { current } = owners;
const now = new Date('2026-01-23T14:33:02.000Z');
const BEFORE = '2026-01-23T14:33:01.999Z';
const AFTER = '2026-01-23T14:33:02.001Z';

const statOf = (pid: number): readonly string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};
const ownerOf = (pid: number): RunOwner => ({ ...current, pid, startTime: statOf(pid)[19] ?? '' });

describe('an owner whose process can be looked at', () => {
  test('is there, whatever its lease says', () => {
    expect(owners.whyGone(current, BEFORE, now)).toBeNull();
    expect(ownerOf(process.pid)).toEqual(current);
  });

  test('is gone with its process, at once', async () => {
    const child = execa('sleep', ['300'], { reject: false });
    const owner = ownerOf(child.pid ?? 0);
    expect(owners.whyGone(owner, AFTER, now)).toBeNull();
    child.kill('SIGKILL');
    await child;
    expect(owners.whyGone(owner, AFTER, now)).toBe(`Its process (${owner.pid} on ${owner.host}) is gone.`);
  });

  test('is gone where another process has its number', () => {
    expect(owners.whyGone({ ...current, startTime: '1' }, AFTER, now)).toMatch(/is gone/);
  });

  test('is gone although its parent has not noticed', async () => {
    const parent = execa('bash', ['-c', 'sleep 0.2 & echo $!; exec sleep 300'], { reject: false, buffer: false });
    onTestFinished(() => {
      parent.kill('SIGKILL');
    });
    let line = '';
    for await (const chunk of parent.stdout) {
      line += String(chunk);
      if (line.includes('\n')) break;
    }
    const owner = ownerOf(Number(line));
    while (statOf(owner.pid)[0] !== 'Z') await delay(20);
    expect(ownerOf(owner.pid)).toEqual(owner);
    expect(owners.whyGone(owner, AFTER, now)).toMatch(/is gone/);
  });
});

describe('an owner that cannot be looked at', () => {
  const inContainer = { ...current, pidNamespace: 'pid:[1]' };
  const onAnotherHost = { ...current, bootId: 'another', host: 'ops-2' };

  test.each([
    ['in another PID namespace', inContainer],
    ['on another host', onAnotherHost],
  ])('%s is there while its lease lasts, and where it has none', (_, owner) => {
    expect(owners.whyGone(owner, AFTER, now)).toBeNull();
    expect(owners.whyGone(owner, null, now)).toBeNull();
    expect(owners.whyGone(owner, BEFORE, now)).toBe(
      `Nothing was heard since ${BEFORE} from its process (${owner.pid} on ${owner.host}).`,
    );
  });

  test('of an earlier boot of this host is gone', () => {
    const reason = `${current.host} was started again since it began.`;
    expect(owners.whyGone({ ...current, bootId: 'an earlier one' }, AFTER, now)).toBe(reason);
  });
});
