/**
 * A ledger of many runs, made through the same code as any, but in large transactions that are not synced: three years of
 * 200 runbooks and 300 people, with a few failures, refusals, incidents and runs that are under way. Always the same.
 */
import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { openFile } from '../src/adapters/ledger/file.ts';
import { createEntries } from '../src/adapters/ledger/entries.ts';
import { createRunReader } from '../src/adapters/ledger/runs.ts';
import { createSearch } from '../src/adapters/ledger/search.ts';
import { openSqliteLedger } from '../src/adapters/ledger/sqlite.ts';
import { createTransitions } from '../src/adapters/ledger/transitions.ts';
import type { Outcome, RunOwner, RunRecord, RunResult } from '../src/core/run.ts';

const RUNBOOKS = 200;
const SUBJECTS = 300;
const BATCH = 10_000;
const FIRST_DAY = Date.UTC(2023, 0, 1);
const LAST_DAY = Date.UTC(2026, 0, 1);
/** In so many outputs, whatever the size of the ledger. */
export const RARE = { text: 'needle-7f3a', runs: 5 };
export const COMMON = 'replica set';

export const OWNER: RunOwner = {
  bootId: '5e0c3b3e-8f4e-4b6e-9f57-7d3f6f6f8a10',
  pidNamespace: 'pid:[4026531836]',
  pid: 4711,
  startTime: '123456',
  host: 'ops-1',
};
const WORDS =
  'node pod ready drained cordoned evicted restarting waiting for replica set backup copied rows checksum ok lag seconds primary standby promoted volume attached quota left certificate expires renewed token revoked queue empty'.split(
    ' ',
  );

export interface Made {
  readonly runs: number;
  /** A run in the middle. */
  readonly runId: string;
  readonly incident: string;
  readonly runbook: string;
  readonly subject: string;
}

/** @param runs at least 1,000 */
export async function makeLedger(path: string, runs: number): Promise<Made> {
  openSqliteLedger(path).close();
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -262144');
  db.pragma('wal_autocheckpoint = 20000');
  const opened = openFile(path, db, () => false);
  // What would be a transaction each is a part of a large one.
  const file = { ...opened, change: <T>(work: () => T): T => work(), note: <T>(work: () => T): T => work() };
  const reader = createRunReader(file);
  const ledger = { ...createTransitions(file), ...createEntries(file, reader), ...createSearch(file, reader) };
  const random = randomOf(7);
  const documents = Array.from({ length: RUNBOOKS }, (_, n) => documentOf(n));
  for (let n = 0; n < runs; n += 1) {
    if (n % BATCH === 0) db.exec('BEGIN IMMEDIATE');
    await addRun(n);
    if (n % BATCH === BATCH - 1 || n === runs - 1) db.exec('COMMIT');
  }
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return {
    runs,
    runId: idOf(runs >> 1),
    incident: `INC-${1000 + ((runs >> 1) % incidents(runs))}`,
    runbook: documents[3]?.name ?? '',
    subject: 'user-017@example.org',
  };

  async function addRun(n: number): Promise<void> {
    const document = documents[Math.floor(random() ** 2 * RUNBOOKS)] ?? documentOf(0);
    const chance = random();
    // Clocks of several processes: about one run in twenty arrives with a time before that of another.
    const at = FIRST_DAY + ((LAST_DAY - FIRST_DAY) * n) / runs - (random() < 0.05 ? 300_000 : 0);
    const record = recordOf(n, at, document, {
      subject: `user-${String(Math.floor(random() ** 2 * SUBJECTS)).padStart(3, '0')}@example.org`,
      incident: random() < 0.03 ? `INC-${1000 + (n % incidents(runs))}` : null,
      rehearsal: random() < 0.01,
      historyMode: random() < 0.3 ? 'file' : 'ledger',
    });
    if (chance < 0.015) {
      const refusal = { code: 'forbidden', message: 'It needs the role sre.' } as const;
      await ledger.refuse({ ...record, state: 'refused', refusal }, document.text, OWNER);
      if (record.historyMode === 'file') await ledger.entryWritten(record.runId);
      return;
    }
    await ledger.enqueue(record, OWNER, document.text, isoOf(at + 60_000));
    const containment = { rung: 'reaper', reaper: 'perl', cgroups: [], refused: ['no control group'] } as const;
    await ledger.begin(record.runId, { startedAt: isoOf(at + 200), containment }, null);
    if (n >= runs - 3) return;
    const text = outputOf(n, runs, random);
    if (chance < 0.02) {
      const reason = 'Its process is gone.';
      await ledger.interrupt(record.runId, { at: isoOf(at), reason, progress: null, survivors: [], workFolder: null });
    } else await ledger.finish(record.runId, resultOf(record.runId, at, outcomeOf(chance), text));
    await ledger.indexOutput(record.runId, text);
    if (record.historyMode === 'file') await ledger.entryWritten(record.runId);
  }
}

interface Document {
  readonly name: string;
  readonly text: Buffer;
  readonly digest: string;
}

export function documentOf(n: number): Document {
  const name = `Procedure${String(n).padStart(3, '0')}`;
  const text = Buffer.from(
    `# ${name}\n\n${'It does what it says. '.repeat(40)}\n\n# Steps\n\n## Do\n\`\`\`sh\ntrue\n\`\`\`\n`,
  );
  return { name, text, digest: sha256(text) };
}

export function recordOf(
  n: number,
  at: number,
  { name, digest }: Document,
  change: { readonly subject: string } & Pick<RunRecord, 'incident' | 'rehearsal' | 'historyMode'>,
): RunRecord {
  const { subject, ...others } = change;
  return {
    schemaVersion: 1,
    runId: idOf(n),
    operation: 'execute',
    state: 'queued',
    enqueuedAt: isoOf(at),
    runbook: { name, digest, path: `/srv/runbooks/${name}.md`, gitCommit: digest.slice(0, 40), gitDirty: false },
    who: {
      subject,
      roles: ['sre', 'on-call'],
      issuer: 'https://login.example.org',
      keyId: 'key-1',
      tokenId: `t-${n}`,
      selfMade: false,
      osUser: 'ops',
      host: 'ops-1',
      address: null,
    },
    source: 'cli',
    toolVersion: '0.1.0',
    containment: null,
    correlationId: `c-${n}`,
    callChain: [`${name}.md`],
    variables: [
      { name: 'REGION', origin: 'given', value: 'eu-west-1' },
      { name: 'DB_PASSWORD', origin: 'environment', hmac: sha256(Buffer.from(subject)) },
    ],
    startedAt: null,
    result: null,
    refusal: null,
    ...others,
  };
}

function resultOf(runId: string, at: number, outcome: Outcome, output: string): RunResult {
  const [startedAt, finishedAt] = [isoOf(at + 200), isoOf(at + 1200)];
  const exitCode = outcome === 'succeeded' ? 0 : 1;
  const step = (name: string, line: number) => ({
    name,
    line,
    outcome,
    exitCode,
    signal: null,
    startedAt,
    durationMs: 800,
  });
  return {
    runId,
    outcome,
    exitCode,
    signal: null,
    steps: [step('Look', 20), step('Do', 29), step('Check', 38)],
    output: { bytes: output.length, dropped: 0, digest: sha256(Buffer.from(output)) },
    startedAt,
    finishedAt,
    durationMs: 1000,
    survivors: [],
    containment: { claim: 'proven', reason: null },
    artifacts: [],
    reason: outcome === 'succeeded' ? null : 'The step “Check” ended with exit code 1.',
    workFolder: null,
  };
}

function outcomeOf(chance: number): Outcome {
  if (chance < 0.03) return 'timed-out';
  if (chance < 0.04) return 'canceled';
  return chance < 0.1 ? 'failed' : 'succeeded';
}

/** Some hundreds of bytes of words and numbers; one in three has the common text, a few the rare one. */
function outputOf(n: number, runs: number, random: () => number): string {
  const lines = Array.from({ length: 4 + Math.floor(random() * 6) }, () => {
    const words = Array.from({ length: 6 }, () => WORDS[Math.floor(random() * WORDS.length)] ?? '');
    return `${words.join(' ')} ${Math.floor(random() * 1e6)}`;
  });
  if (random() < 0.33) lines.push(COMMON);
  if (n % Math.floor(runs / RARE.runs) === 7) lines.push(RARE.text);
  return `${lines.join('\n')}\n`;
}

function incidents(runs: number): number {
  return Math.max(1, Math.floor(runs / 300));
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function idOf(n: number): string {
  return `01JRUN${String(n).padStart(20, '0')}`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
