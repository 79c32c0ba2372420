/** Processes by /proc (proc(5)). Zombies do not count: they hold nothing and only wait for their parent. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';
import type { Survivor } from '../../core/run.ts';

/** @returns whether somebody was there, also somebody whom we may not signal */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  return group > 1 && send(-group, signal);
}

/** @returns whether it was there */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

interface Facts extends Survivor {
  readonly group: number;
  readonly parent: number;
}

/** Everybody that is alive; nobody where there is no /proc. */
function everybody(): readonly Facts[] {
  return pidsOf('/proc').flatMap((pid) => factsOf(pid) ?? []);
}

function pidsOf(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function factsOf(pid: number): Facts | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // pid (comm) state ppid pgrp …; comm may hold spaces and parentheses.
  const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
  const [state = '', parent, group] = stat.slice(close + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  return { pid, command: stat.slice(open + 1, close), parent: Number(parent), group: Number(group) };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return null;
  }
}

/** Those of them that are alive, with their names. */
export function alive(pids: readonly number[]): readonly Survivor[] {
  return pids.flatMap((pid) => factsOf(pid) ?? []).map(asSurvivor);
}

export function groupMembers(group: number): readonly Survivor[] {
  return everybody()
    .filter((one) => one.group === group)
    .map(asSurvivor);
}

/**
 * Who shows that it belongs to a run: by the id that every script of it finds in its environment, by the group of its
 * script, or as a descendant of such a one. Never by user or session alone: that would meet bystanders.
 */
export function membersOf(runId: string, group: number): readonly Survivor[] {
  const all = everybody().filter(({ pid }) => pid !== process.pid && pid !== process.ppid);
  const marker = `RUNBOOK_RUN_ID=${runId}`;
  const found = new Set(
    all
      .filter(
        (one) =>
          (group > 1 && one.group === group) || (read(`/proc/${one.pid}/environ`) ?? '').split('\0').includes(marker),
      )
      .map(({ pid }) => pid),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const one of all) if (found.has(one.parent)) found.add(one.pid);
  }
  return all.filter(({ pid }) => found.has(pid)).map(asSurvivor);
}

/** Who was started with two arguments right behind each other: the last part of a path, and a text that is meant. */
export function startedWith(names: readonly string[], isMeant: (text: string) => boolean): readonly Survivor[] {
  return everybody()
    .filter(({ pid }) => {
      const words = (read(`/proc/${pid}/cmdline`) ?? '').split('\0');
      return words.some((word, at) => names.includes(path.basename(word)) && isMeant(words[at + 1] ?? ''));
    })
    .map(asSurvivor);
}

function asSurvivor({ pid, command }: Facts): Survivor {
  return { pid, command };
}
