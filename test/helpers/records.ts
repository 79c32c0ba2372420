/** Records as the engine would make them, for tests that keep and read runs. */
import { createHash } from 'node:crypto';
import type { Containment } from '../../src/core/containment.ts';
import type { Operation, RunLedger } from '../../src/core/ports.ts';
import type { Interruption, RunOwner, RunRecord, RunResult } from '../../src/core/run.ts';

export const DOCUMENT = Buffer.from('# Restart\n\nRestarts it.\n\n# Script\n```sh\necho hi\n```\n');

export const OWNER: RunOwner = {
  bootId: '5e0c3b3e-8f4e-4b6e-9f57-7d3f6f6f8a10',
  pidNamespace: 'pid:[4026531836]',
  pid: 4711,
  startTime: '123456',
  host: 'ops-1',
};

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A time that grows with `n`, one second a step. */
export function timeOf(n: number): string {
  return new Date(Date.UTC(2026, 0, 23, 14, 33, 2, 123) + n * 1000).toISOString();
}

export function runIdOf(n: number): string {
  return `01JRUN${String(n).padStart(20, '0')}`;
}

/** What is told of a queued run number `n`; `change` replaces whole members. */
export function queuedRun(n: number, change: Partial<RunRecord> = {}): RunRecord {
  return {
    schemaVersion: 1,
    runId: runIdOf(n),
    operation: 'execute',
    state: 'queued',
    enqueuedAt: timeOf(n),
    runbook: { name: 'Restart', digest: sha256(DOCUMENT), path: '/srv/runbooks/Restart.md', gitCommit: 'c0ffee' },
    who: {
      subject: 'alice',
      roles: ['sre', 'on-call'],
      issuer: 'https://login.example',
      keyId: null,
      tokenId: 't-1',
      selfMade: false,
      osUser: 'alice',
      host: 'ops-1',
      address: '192.0.2.7',
    },
    source: 'cli',
    toolVersion: '0.1.0',
    containment: null,
    correlationId: `c-${n}`,
    callChain: ['Restart.md'],
    incident: null,
    rehearsal: false,
    historyMode: 'ledger',
    variables: [
      { name: 'REGION', origin: 'given', value: 'eu "west"\u2028\u0000 \\ é 😀' },
      { name: 'DB_PASSWORD', origin: 'environment', hmac: 'ab'.repeat(32) },
    ],
    startedAt: null,
    result: null,
    refusal: null,
    ...change,
  };
}

export const REAPER: Containment = { rung: 'reaper', reaper: 'perl', cgroups: [], refused: ['no control group'] };

export function resultOf(n: number, change: Partial<RunResult> = {}): RunResult {
  return {
    runId: runIdOf(n),
    outcome: 'succeeded',
    exitCode: 0,
    signal: null,
    steps: [
      {
        name: 'Script',
        line: 5,
        outcome: 'succeeded',
        exitCode: 0,
        signal: null,
        startedAt: timeOf(n),
        durationMs: 12.5,
      },
    ],
    output: { bytes: 3, dropped: 0, digest: sha256(Buffer.from('hi\n')) },
    startedAt: timeOf(n),
    finishedAt: timeOf(n + 1),
    durationMs: 1000,
    survivors: [],
    containment: { claim: 'proven', reason: null },
    artifacts: [],
    reason: null,
    workFolder: null,
    ...change,
  };
}

/** Carried out, and ended so. */
export async function recordRun(
  ledger: Pick<RunLedger, 'enqueue' | 'begin' | 'finish'>,
  n: number,
  change: Partial<RunRecord> = {},
  result: Partial<RunResult> = {},
): Promise<void> {
  await ledger.enqueue(queuedRun(n, change), OWNER, DOCUMENT);
  await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
  await ledger.finish(runIdOf(n), resultOf(n, result));
}

export function interruptionOf(n: number): Interruption {
  return {
    at: timeOf(n + 60),
    reason: 'Its process (4711 on ops-1) is gone.',
    progress: { step: 0, of: 1, name: 'Script', at: timeOf(n) },
    survivors: [{ pid: 4712, command: 'sleep' }],
    workFolder: null,
  };
}

export function operationOf(n: number, operation: Operation['operation'], change: Partial<Operation> = {}): Operation {
  return {
    schemaVersion: 1,
    operationId: `01JOPR${String(n).padStart(20, '0')}`,
    operation,
    at: timeOf(n),
    who: { osUser: 'bob', host: 'ops-2' },
    toolVersion: '0.1.0',
    reason: null,
    ...change,
  };
}
