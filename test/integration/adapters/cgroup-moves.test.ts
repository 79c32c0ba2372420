/** The move that makes later ones fast: it changes nothing, and nothing depends on it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { makeCgroup } from '../../../src/adapters/executor/cgroup.ts';
import { hastenMoves } from '../../../src/adapters/executor/cgroup-moves.ts';
import { NO_LIMITS } from '../../helpers/executor.ts';

it('leaves this process where it is', async () => {
  const before = readFileSync('/proc/self/cgroup', 'utf8');
  const made = makeCgroup(`MOVES${process.pid}`, NO_LIMITS);
  if (typeof made !== 'string') await made.remove();
  await delay(100);
  expect(readFileSync('/proc/self/cgroup', 'utf8')).toBe(before);
});

it('says who writes it, in a file that is there', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-moves-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const procs = path.join(folder, 'cgroup.procs');
  writeFileSync(procs, '');
  await hastenMoves(folder);
  expect(readFileSync(procs, 'utf8')).toBe('0');
});

it('makes nothing, and fails without a word', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-moves-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  await hastenMoves(folder);
  expect(readdirSync(folder)).toEqual([]);
});
