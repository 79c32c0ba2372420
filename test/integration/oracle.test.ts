/** The oracle over the record sees what it is there to see: each fault, planted into a record that holds. */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createMarkdownHistory } from '../../src/adapters/document-history/markdown-file.ts';
import { makeCgroup } from '../../src/adapters/executor/cgroup.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { createSpool } from '../../src/adapters/output/spool.ts';
import type { RunLedger } from '../../src/core/ports.ts';
import { entryOf } from '../helpers/entries.ts';
import { examine, examineUnrecorded, NOTHING_WRONG } from '../helpers/oracle.ts';
import type { Findings, Scene } from '../helpers/oracle.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, resultOf, runIdOf, sha256, timeOf } from '../helpers/records.ts';

const RUN = runIdOf(1);
const OTHER = runIdOf(2);
const PRINTED = Buffer.from('xxx');
const output = { bytes: 3, dropped: 0, digest: sha256(PRINTED) };
const NO_LIMITS = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };

let scene: Scene;
let document = '';
/** One run that was told, carried out, recorded, and has its output and its entry. */
beforeEach(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-oracle-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  document = path.join(folder, 'Restart.md');
  writeFileSync(document, `${DOCUMENT.toString()}\n# History\n`);
  const of = (name: string): string => path.join(folder, name);
  scene = { stateDir: of('state'), scratch: of('scratch'), effects: of('effects'), documents: [document] };
  mkdirSync(scene.scratch);
  appendFileSync(scene.effects, `${RUN}\n`);
  await inLedger(async (ledger) => {
    await begin(ledger, 1);
    await ledger.finish(RUN, resultOf(1, { output }));
  });
  const spool = createSpool(scene.stateDir).open(RUN, 1000);
  spool.write(0, 'stdout', PRINTED);
  spool.close();
  await addEntry(RUN);
});

async function inLedger(work: (ledger: RunLedger) => Promise<void>): Promise<void> {
  const ledger = openSqliteLedger(path.join(scene.stateDir, 'ledger.sqlite'));
  await work(ledger);
  ledger.close();
}

async function begin(ledger: RunLedger, n: number): Promise<void> {
  await ledger.enqueue(queuedRun(n, { historyMode: 'file' }), OWNER, DOCUMENT);
  await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
}

async function addEntry(runId: string, exitCode = 0): Promise<void> {
  const entry = entryOf({ runId, exitCode, outcome: exitCode === 0 ? 'succeeded' : 'failed' });
  await createMarkdownHistory({ ci: false }).append({ path: document, hasHistory: true, stamp: '' }, entry);
}

const edit = (sql: string) => async (): Promise<void> => {
  const db = new Database(path.join(scene.stateDir, 'ledger.sqlite'));
  db.exec(`DROP TRIGGER transitions_keep; DROP TRIGGER transitions_stay; ${sql}`);
  db.close();
};

const FAULTS: Readonly<Record<string, readonly [keyof Findings, () => Promise<void>]>> = {
  'a run without an end': [
    'unfinished',
    async () => {
      await inLedger(async (ledger) => {
        await ledger.enqueue(queuedRun(2), OWNER, DOCUMENT);
      });
    },
  ],
  'an effect of nobody': ['withoutStart', async () => appendFileSync(scene.effects, `${OTHER}\n`)],
  'an effect of a run that never began': [
    'withoutStart',
    async () => {
      await inLedger(async (ledger) => {
        await ledger.enqueue(queuedRun(2), OWNER, DOCUMENT);
        await ledger.finish(OTHER, resultOf(2, { outcome: 'canceled', output: { ...output, bytes: 0 } }));
      });
      appendFileSync(scene.effects, `${OTHER}\n`);
    },
  ],
  'an effect twice': ['duplicates', async () => appendFileSync(scene.effects, `${RUN}\n`)],
  'an entry twice': ['duplicates', async () => await addEntry(RUN)],
  'no entry': ['missingEntries', async () => writeFileSync(document, '# Restart\n\n# History\n')],
  'a torn entry': [
    'missingEntries',
    async () => writeFileSync(document, readFileSync(document, 'utf8').replace(/\n[^\n]*\n$/, '')),
  ],
  'an entry of nobody': ['halfWritten', async () => await addEntry(OTHER)],
  'an entry that says something else': [
    'halfWritten',
    async () => {
      writeFileSync(document, '# Restart\n\n# History\n');
      await addEntry(RUN, 3);
    },
  ],
  'output that is cut': [
    'halfWritten',
    async () => {
      rmSync(path.join(scene.stateDir, 'output', RUN));
      createSpool(scene.stateDir).open(RUN, 1000).close();
    },
  ],
  'a record that was changed': ['damage', edit(`UPDATE transitions SET record = replace(record, 'alice', 'mallory')`)],
  'a record that is gone': ['damage', edit('PRAGMA foreign_keys = OFF; DELETE FROM transitions WHERE seq = 2')],
  'a folder with scripts and secrets': [
    'leftovers',
    async () => {
      mkdirSync(path.join(scene.scratch, `runbook-exec-${RUN.toLowerCase()}/control`), { recursive: true });
    },
  ],
  'a process': [
    'leftovers',
    async () => {
      const child = spawn('sleep', ['300'], { env: { ...process.env, RUNBOOK_RUN_ID: RUN }, stdio: 'ignore' });
      onTestFinished(() => {
        child.kill('SIGKILL');
      });
    },
  ],
};

describe('a record that holds', () => {
  it('has no findings', async () => {
    const told = [{ runId: RUN, exitCode: 0 }];
    const { findings, figures } = await examine(scene, told);
    expect(findings).toEqual(NOTHING_WRONG);
    expect(figures).toEqual({ runs: 1, finished: 1, interrupted: 0, refused: 0, effects: 1 });
  });

  it.each([
    ['is not there', { runId: OTHER, exitCode: null }],
    ['ended otherwise', { runId: RUN, exitCode: 3 }],
  ])('has lost a run that %s', async (_name, told) => {
    const { findings } = await examine(scene, [told]);
    expect(findings).toEqual({ ...NOTHING_WRONG, lost: [expect.stringContaining(told.runId)] });
  });

  it('has lost a run that is told to have begun, and has not', async () => {
    await inLedger(async (ledger) => {
      await ledger.enqueue(queuedRun(2), OWNER, DOCUMENT);
      await ledger.finish(OTHER, resultOf(2, { outcome: 'canceled', output: { ...output, bytes: 0 } }));
    });
    expect((await examine(scene, [{ runId: OTHER, exitCode: null }])).findings.lost).toHaveLength(1);
  });

  it.each(Object.entries(FAULTS))('does not with %s', async (_name, [kind, plant]) => {
    await plant();
    const { findings } = await examine(scene, []);
    expect(findings[kind]).toHaveLength(1);
  });

  const cgroup = makeCgroup(RUN, NO_LIMITS);
  if (typeof cgroup !== 'string') void cgroup.remove();
  it.skipIf(typeof cgroup === 'string')('does not with a control group', async () => {
    const made = makeCgroup(RUN, NO_LIMITS);
    if (typeof made === 'string') throw new Error(made);
    try {
      expect((await examine(scene, [])).findings.leftovers).toHaveLength(made.folders.length);
    } finally {
      await made.remove();
    }
  });
});

it('runs without a record have none', () => {
  expect(examineUnrecorded(scene, [])).toEqual([`${scene.stateDir} has a record`, `${document} has a record`]);
});
