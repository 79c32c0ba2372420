/**
 * Whether a record holds, seen from outside: what somebody was told, what scripts have really done, and what the disk and
 * the machine show afterwards. Nothing of the engine is asked, so that it cannot agree with itself.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { isOrphaned } from '../../src/adapters/executor/prepared-name.ts';
import { findHierarchies } from '../../src/adapters/executor/cgroup-mounts.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { createSpool } from '../../src/adapters/output/spool.ts';
import { verifyChain } from '../../src/core/chain.ts';
import { readEntries } from '../../src/core/history/document-history.ts';
import { exitCodeOf } from '../../src/core/run.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { keptOf } from './kept.ts';
import { sha256 } from './records.ts';

/** What is looked at. */
export interface Scene {
  readonly stateDir: string;
  /** Where work folders are made. */
  readonly scratch: string;
  /** Each script appends a line with the id of its run, once. */
  readonly effects: string;
  readonly documents: readonly string[];
}

/** What somebody outside was told of a run. */
export interface Acknowledged {
  readonly runId: string;
  /** Of the whole tool, where it lived to say one; 74 says that the end could not be recorded. */
  readonly exitCode: number | null;
}

/** By run, in words; all empty where the record holds. */
export interface Findings {
  /** Told to somebody, and not in the ledger, or there as something else. */
  readonly lost: readonly string[];
  /** Without an end after recovery. */
  readonly unfinished: readonly string[];
  /** Something was done that the ledger does not say was begun. */
  readonly withoutStart: readonly string[];
  /** Carried out, or told in a document, more than once. */
  readonly duplicates: readonly string[];
  readonly missingEntries: readonly string[];
  /** What is read as whole, and is not. */
  readonly halfWritten: readonly string[];
  /** Of the ledger's file: its chain, its pages. */
  readonly damage: readonly string[];
  /** Processes, control groups, scripts and secrets on disk. */
  readonly leftovers: readonly string[];
}

export interface Examination {
  readonly findings: Findings;
  /** How many runs ended in which way, and how many had an effect. */
  readonly figures: Readonly<Record<'runs' | 'finished' | 'interrupted' | 'refused' | 'effects', number>>;
}

export const NOTHING_WRONG: Findings = {
  lost: [],
  unfinished: [],
  withoutStart: [],
  duplicates: [],
  missingEntries: [],
  halfWritten: [],
  damage: [],
  leftovers: [],
};

/** To be called after recovery, when nobody works in the scene any more. */
export async function examine(scene: Scene, told: readonly Acknowledged[]): Promise<Examination> {
  const file = path.join(scene.stateDir, 'ledger.sqlite');
  const { runs, damage } = existsSync(file) ? await readLedger(file) : { runs: [], damage: ['there is no ledger'] };
  const byId = new Map(runs.map((run) => [run.runId, run]));
  const effects = effectsOf(scene);
  const entries = scene.documents.flatMap(entriesOf);

  const findings: Findings = {
    lost: told.flatMap((one) => whyLost(one, byId.get(one.runId))),
    unfinished: runs.filter(({ state }) => state === 'queued' || state === 'started').map(shown),
    withoutStart: effects.filter((runId) => (byId.get(runId)?.startedAt ?? null) === null),
    duplicates: [
      ...repeated(effects).map((runId) => `${runId} was carried out again`),
      ...repeated(entries.map(({ run }) => run)).map((runId) => `${runId} has another entry`),
    ],
    missingEntries: runs
      .filter(
        ({ runId, historyMode, startedAt }) => historyMode === 'file' && startedAt !== null && !has(entries, runId),
      )
      .map(shown),
    halfWritten: [
      ...entries.flatMap((entry) => whyNotWhole(entry, byId.get(entry.run))),
      ...(await wrongOutputs(scene, runs)),
    ],
    damage,
    leftovers: leftoversOf(scene, [...new Set([...byId.keys(), ...effects, ...told.map(({ runId }) => runId)])]),
  };
  const count = (state: string): number => runs.filter((run) => run.state === state).length;
  const figures = {
    runs: runs.length,
    finished: count('finished'),
    interrupted: count('interrupted'),
    refused: count('refused'),
    effects: effects.length,
  };
  return { findings, figures };
}

/** Of runs that leave no record: nothing is kept, nothing is left, and nothing is done twice. */
export function examineUnrecorded(scene: Scene, told: readonly Acknowledged[]): readonly string[] {
  const effects = effectsOf(scene);
  const kept = [scene.stateDir, ...scene.documents.filter((document) => entriesOf(document).length > 0)];
  return [
    ...repeated(effects).map((runId) => `${runId} was carried out again`),
    ...kept.filter((place) => place !== scene.stateDir || existsSync(place)).map((place) => `${place} has a record`),
    ...leftoversOf(scene, [...new Set([...effects, ...told.map(({ runId }) => runId)])]),
  ];
}

function effectsOf({ effects }: Scene): readonly string[] {
  return existsSync(effects) ? readFileSync(effects, 'utf8').split('\n').slice(0, -1) : [];
}

async function readLedger(file: string): Promise<{ runs: readonly StoredRun[]; damage: readonly string[] }> {
  const ledger = openSqliteLedger(file);
  try {
    const bad = verifyChain(ledger.links());
    const runs = await ledger.list({ limit: 1_000_000 });
    return { runs, damage: [...(bad === null ? [] : [`the chain breaks at ${bad}`]), ...damageOf(file)] };
  } finally {
    ledger.close();
  }
}

function damageOf(file: string): readonly string[] {
  const db = new Database(file);
  try {
    const rows = db.prepare<[], string>('PRAGMA integrity_check').pluck().all();
    return rows.filter((row) => row !== 'ok');
  } finally {
    db.close();
  }
}

function whyLost({ runId, exitCode }: Acknowledged, run: StoredRun | undefined): readonly string[] {
  if (run === undefined) return [`${runId} is not in the ledger`];
  if (run.startedAt === null) return [`${shown(run)}, and was told to have begun`];
  if (exitCode === null || exitCode === 74) return [];
  if (run.result === null) return [`${shown(run)}, and was told to have ended with ${exitCode}`];
  const recorded = exitCodeOf(run.result);
  return recorded === exitCode ? [] : [`${shown(run)} with ${recorded}, and was told to have ended with ${exitCode}`];
}

interface Entry {
  readonly run: string;
  readonly exit: number;
  readonly outcome: string;
}

function entriesOf(document: string): readonly Entry[] {
  const text = readFileSync(document, 'utf8');
  const at = text.indexOf('\n# History');
  return at === -1 ? [] : readEntries(text.slice(at)).flatMap((one) => (one.origin === 'runbook' ? [one.facts] : []));
}

function has(entries: readonly Entry[], runId: string): boolean {
  return entries.some(({ run }) => run === runId);
}

function whyNotWhole({ run: runId, outcome, exit }: Entry, run: StoredRun | undefined): readonly string[] {
  if (run === undefined) return [`${runId} has an entry and is not in the ledger`];
  const recorded = run.result === null ? run.state : run.result.outcome;
  const isSame = recorded === outcome && (run.result === null || exitCodeOf(run.result) === exit);
  return isSame ? [] : [`the entry of ${runId} says ${outcome} (${exit}), the ledger ${recorded}`];
}

/** The output of a run that has an end is all of what the record says; of any run it is nothing but what was printed. */
async function wrongOutputs(scene: Scene, runs: readonly StoredRun[]): Promise<readonly string[]> {
  const output = createSpool(scene.stateDir);
  const wrong: string[] = [];
  for (const { runId, result, interruption } of runs) {
    const kept = await keptOf(output, runId);
    const bytes = Buffer.concat(kept.chunks.map((chunk) => chunk.bytes));
    if (bytes.some((byte) => byte !== PRINTED)) wrong.push(`the output of ${runId} was never printed`);
    const left = interruption?.output;
    if (interruption !== undefined && (left?.bytes !== bytes.length || left.digest !== sha256(bytes)))
      wrong.push(`${runId} has ${bytes.length} bytes, and was recorded with ${left?.bytes} or others`);
    if (result === null || result.output.bytes === 0) continue;
    const { bytes: printed, dropped, digest } = result.output;
    if (bytes.length !== printed - dropped) wrong.push(`${runId} has ${bytes.length} of ${printed} - ${dropped} bytes`);
    else if (dropped === 0 && sha256(bytes) !== digest) wrong.push(`the output of ${runId} has another digest`);
  }
  return wrong;
}

/** The one byte that scripts of these tests print. */
const PRINTED = 'x'.charCodeAt(0);

function leftoversOf(scene: Scene, runIds: readonly string[]): readonly string[] {
  const folders = existsSync(scene.scratch) ? readdirSync(scene.scratch) : [];
  const secrets = folders
    .filter((name) => name.startsWith('runbook-') && !isKept(path.join(scene.scratch, name)))
    .map(
      (name) =>
        `${name} was left in the folder of work folders, with ${readdirSync(path.join(scene.scratch, name), { recursive: true }).join(' ')}`,
    );
  const groups = findHierarchies().flatMap(({ own }) =>
    runIds.map((runId) => path.join(own, `runbook-${runId.toLowerCase()}`)).filter((group) => existsSync(group)),
  );
  const prepared = findHierarchies().flatMap(({ own }) =>
    readdirSync(own)
      .filter((name) => isOrphaned(name))
      .map((name) => path.join(own, name)),
  );
  return [...secrets, ...groups, ...prepared, ...processesOf(new Set(runIds))];
}

/** Of a work folder that is kept, only the folder itself and what later steps need; or it has just been made. */
function isKept(folder: string): boolean {
  const names = readdirSync(folder);
  return names.includes('kept.json') ? !names.includes('control') : names.every((name) => name === 'owner.json');
}

function processesOf(runIds: ReadonlySet<string>): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const runId = /(?:^|\0)RUNBOOK_RUN_ID=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1];
        return runId !== undefined && runIds.has(runId) ? [`process ${pid} of ${runId}`] : [];
      } catch {
        return [];
      }
    });
}

function repeated(values: readonly string[]): readonly string[] {
  return values.filter((value, index) => values.indexOf(value) < index);
}

function shown({ runId, state }: StoredRun): string {
  return `${runId} is ${state}`;
}
