/** The record as a whole, with `--json`: whether it holds, what was done to it, what was taken out of it. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { classic } from './cli.ts';
import type { Home } from './cli.ts';
import { execute } from './json-calls.ts';
import type { Situation } from './json-situations.ts';

export async function recorded(home: Home): Promise<void> {
  await home.json(execute(home, classic('Task', 'echo out')).args);
}

/** The second record, by somebody who knows how. */
export function alter(home: Home): void {
  const db = new Database(path.join(home.stateDir, 'ledger.sqlite'));
  db.exec("DROP TRIGGER transitions_keep; UPDATE transitions SET record = replace(record, '}', ' }') WHERE seq = 2");
  db.close();
}

export const RECORD_SITUATIONS: readonly Situation[] = [
  {
    name: 'a record that holds',
    schema: 'audit',
    exit: 0,
    prepare: async (home) => {
      await recorded(home);
      return { args: ['audit', 'verify'] };
    },
  },
  {
    name: 'a record that does not hold',
    schema: 'audit',
    exit: 65,
    shows: ['"edited"', '"seq": 2', '"holds": false'],
    prepare: async (home) => {
      await recorded(home);
      alter(home);
      return { args: ['audit', 'verify'] };
    },
  },
  {
    name: 'outputs that were changed',
    schema: 'audit',
    exit: 65,
    shows: ['"output"', '"wrong": 1', '"removed": 0'],
    prepare: async (home) => {
      await recorded(home);
      const outputs = path.join(home.stateDir, 'output');
      for (const name of readdirSync(outputs)) writeFileSync(path.join(outputs, name), 'forged');
      return { args: ['audit', 'verify', '--outputs'] };
    },
  },
  {
    name: 'a copy of the record',
    schema: 'audit',
    exit: 0,
    shows: ['"audit copy"'],
    prepare: async (home) => {
      await recorded(home);
      return { args: ['audit', 'copy', 'copy.sqlite'] };
    },
  },
  {
    name: 'what was done besides runs',
    schema: 'audit',
    exit: 0,
    shows: ['"prune"', '"ranges"'],
    optional: ['pruned'],
    prepare: async (home) => {
      await recorded(home);
      await delay(1100);
      await home.run(['history', '--prune', '--older-than', '1s', '--yes']);
      return { args: ['audit', 'list'] };
    },
  },
  {
    name: 'records that would be taken out',
    schema: 'history',
    exit: 0,
    shows: ['"dryRun": true', '"found": 1'],
    prepare: async (home) => {
      await recorded(home);
      await delay(1100);
      return { args: ['history', '--prune', '--older-than', '1s', '--dry-run'] };
    },
  },
  {
    name: 'records that were taken out',
    schema: 'history',
    exit: 0,
    shows: ['"dryRun": false', '"runs": 1'],
    prepare: async (home) => {
      await recorded(home);
      await delay(1100);
      return { args: ['history', '--prune', '--older-than', '1s', '--yes'] };
    },
  },
];
