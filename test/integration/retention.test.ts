/** What goes by age and by size, and what never does. Real files, with times that are set. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createArtifactStore } from '../../src/adapters/artifacts/folder.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { createSpool } from '../../src/adapters/output/spool.ts';
import type { RunLedger } from '../../src/core/ports.ts';
import { lookAfterOutput } from '../../src/engine/retention.ts';
import { DOCUMENT, OWNER, queuedRun, REAPER, recordRun, runIdOf } from '../helpers/records.ts';

const DAY_MS = 24 * 3_600_000;
const NOW = Date.UTC(2026, 5, 1);

let folder = '';
let ledger: RunLedger;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'retention-'));
  ledger = openSqliteLedger(path.join(folder, 'ledger.sqlite'));
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

/** @param elapsedMs of each look at the clock that does not run backwards */
async function look({ days = 0, keepDays = 90, maxBytes = 1024 ** 3, elapsedMs = 0 } = {}): Promise<void> {
  let monotonic = 0;
  await lookAfterOutput({
    ledger,
    output: createSpool(folder),
    artifacts: createArtifactStore({ stateDir: folder, maxBytes: 1024 }),
    clock: { now: () => new Date(NOW + days * DAY_MS), monotonicMs: () => (monotonic += elapsedMs) },
    retention: { keepOutputMs: keepDays * DAY_MS, maxBytes },
  });
}

const outputOf = (n: number): string => path.join(folder, 'output', runIdOf(n));
const artifactOf = (n: number): string => path.join(folder, 'artifacts', runIdOf(n), 'in', 'report.txt');

function age(file: string, days: number): void {
  const at = new Date(NOW - days * DAY_MS);
  utimesSync(file, at, at);
}

function keepOutput(n: number, days: number, bytes = 100): void {
  mkdirSync(path.dirname(outputOf(n)), { recursive: true });
  writeFileSync(outputOf(n), Buffer.alloc(bytes, 'x'));
  age(outputOf(n), days);
}

function keepArtifact(n: number, days: number, bytes = 100): void {
  const file = artifactOf(n);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, Buffer.alloc(bytes, 'x'));
  for (const place of [file, path.dirname(file), path.dirname(path.dirname(file))]) age(place, days);
}

const left = (...runs: readonly number[]): readonly number[] => runs.filter((n) => existsSync(outputOf(n)));

describe('by age', () => {
  test('output and artifacts go, the record stays and says so; younger ones stay', async () => {
    for (const n of [1, 2, 3]) {
      await recordRun(ledger, n);
      await ledger.indexOutput(runIdOf(n), 'a needle');
    }
    keepOutput(1, 91);
    keepArtifact(1, 91);
    keepOutput(2, 89);
    keepArtifact(2, 89);
    // As old as the last of it.
    keepOutput(3, 200);
    keepArtifact(3, 89);
    await look();
    expect(left(1, 2, 3)).toEqual([2, 3]);
    expect([1, 2, 3].filter((n) => existsSync(artifactOf(n)))).toEqual([2, 3]);
    expect(existsSync(path.join(folder, 'artifacts', runIdOf(1)))).toBe(false);
    expect(await ledger.get(runIdOf(1))).toMatchObject({ state: 'finished', result: { output: { bytes: 3 } } });
    expect(await ledger.countWithoutOutput({ limit: 9 })).toBe(1);
  });

  test('never of a run that is under way, nor of one whose document waits for its entry', async () => {
    await ledger.enqueue(queuedRun(1), OWNER, DOCUMENT);
    await ledger.enqueue(queuedRun(2), OWNER, DOCUMENT);
    await ledger.begin(runIdOf(2), { startedAt: queuedRun(2).enqueuedAt, containment: REAPER }, null);
    await recordRun(ledger, 3, { historyMode: 'file' });
    for (const n of [1, 2, 3]) keepOutput(n, 500);
    await look({ maxBytes: 1 });
    expect(left(1, 2, 3)).toEqual([1, 2, 3]);
    await ledger.entryWritten(runIdOf(3));
    await look({ days: 2, maxBytes: 1 });
    expect(left(1, 2, 3)).toEqual([1, 2]);
  });
});

describe('by size', () => {
  test('the oldest go until the rest fits, output and artifacts together', async () => {
    for (const n of [1, 2, 3, 4]) await recordRun(ledger, n);
    keepOutput(1, 4, 1000);
    keepOutput(2, 9, 100);
    keepArtifact(2, 9, 900);
    keepOutput(3, 1, 1000);
    keepOutput(4, 6, 1000);
    await look({ maxBytes: 2500 });
    expect(left(1, 2, 3, 4)).toEqual([1, 3]);
    expect(existsSync(artifactOf(2))).toBe(false);
  });
});

describe('what no run names', () => {
  test('is kept as long as anything, since the ledger may be one that was restored', async () => {
    await recordRun(ledger, 1);
    keepOutput(1, 5);
    keepOutput(7, 89);
    keepOutput(6, 91);
    keepArtifact(8, 91);
    keepArtifact(9, 89);
    const partial = path.join(folder, 'artifacts', `${runIdOf(8)}.partial`);
    writeFileSync(partial, 'torn');
    age(partial, 91);
    await look();
    expect(left(1, 6, 7)).toEqual([1, 7]);
    expect([artifactOf(8), partial, artifactOf(9)].filter((file) => existsSync(file))).toEqual([artifactOf(9)]);
  });
});

describe('it is in nobody’s way', () => {
  test('once a day, whoever comes', async () => {
    for (const n of [1, 2]) await recordRun(ledger, n);
    keepOutput(1, 100);
    await look();
    keepOutput(2, 100);
    await look({ days: 0.9 });
    expect(left(1, 2)).toEqual([2]);
    await look({ days: 1.1 });
    expect(left(1, 2)).toEqual([]);
  });

  test('it takes a second at most, and goes on the next day', async () => {
    for (let n = 0; n < 9; n += 1) {
      await recordRun(ledger, n);
      keepOutput(n, 100);
    }
    await look({ elapsedMs: 300 });
    const rest = left(0, 1, 2, 3, 4, 5, 6, 7, 8).length;
    expect(rest).toBeGreaterThan(0);
    expect(rest).toBeLessThan(9);
    await look({ days: 2 });
    expect(left(0, 1, 2, 3, 4, 5, 6, 7, 8)).toEqual([]);
  });

  test('what cannot be removed holds up nothing else, and a ledger that is gone fails nobody', async () => {
    for (const n of [1, 2]) await recordRun(ledger, n);
    keepOutput(2, 99);
    // A folder where a file is expected: also an administrator cannot unlink it.
    mkdirSync(outputOf(1), { recursive: true });
    age(outputOf(1), 100);
    await look();
    expect(left(1, 2)).toEqual([1]);
    ledger.close();
    await look({ days: 2 });
    ledger = openSqliteLedger(path.join(folder, 'ledger.sqlite'));
    expect(await ledger.get(runIdOf(1))).not.toBeNull();
  });

  test('nothing is kept yet', async () => {
    await look();
    expect(existsSync(path.join(folder, 'output'))).toBe(false);
  });
});
