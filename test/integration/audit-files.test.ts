/** Outputs and artifacts against the record: real files, changed, cut, exchanged, gone; each is found, and nothing else is. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createArtifactStore } from '../../src/adapters/artifacts/folder.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { openLedgerView } from '../../src/adapters/ledger/view.ts';
import { encodeFrame } from '../../src/adapters/output/frames.ts';
import { createSpool } from '../../src/adapters/output/spool.ts';
import { verifyChain } from '../../src/core/chain.ts';
import type { RunLedger } from '../../src/core/ports.ts';
import type { Interruption } from '../../src/core/run.ts';
import { auditFiles } from '../../src/engine/audit-files.ts';
import type { FilesReport } from '../../src/engine/audit-files.ts';
import { createMasker } from '../../src/core/masking/masker.ts';
import { leftOutput } from '../../src/engine/intact.ts';
import { lookAfterOutput } from '../../src/engine/retention.ts';
import {
  DOCUMENT,
  interruptionOf,
  operationOf,
  OWNER,
  queuedRun,
  REAPER,
  recordRun,
  runIdOf,
  sha256,
  timeOf,
} from '../helpers/records.ts';

const MAX_BYTES = 4096;

let folder = '';
let file = '';
let ledger: RunLedger;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'audit-files-'));
  file = path.join(folder, 'ledger.sqlite');
  ledger = openSqliteLedger(file);
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const ports = () => ({
  output: createSpool(folder),
  artifacts: createArtifactStore({ stateDir: folder, maxBytes: 1e6 }),
});
const outputOf = (n: number): string => path.join(folder, 'output', runIdOf(n));
const artifactOf = (n: number, name: string): string => path.join(folder, 'artifacts', runIdOf(n), 'out', name);

/** Carried out, with all that it leaves. */
async function runOf(n: number, text: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  const { output, artifacts } = ports();
  const spool = output.open(runIdOf(n), MAX_BYTES);
  if (text !== '') spool.write(0, 'stdout', Buffer.from(text));
  const work = path.join(folder, `work-${n}`);
  mkdirSync(path.join(work, 'out'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(work, 'out', name), content);
  const names = Object.keys(files).map((name) => `out/${name}`);
  const kept = await artifacts.keep(runIdOf(n), work, [...names, 'out/never'], () => createMasker().stream());
  await recordRun(ledger, n, {}, { output: spool.close(), artifacts: kept });
}

/** @param meanwhile before the first file is looked at */
async function audit(meanwhile: () => Promise<void> = async () => {}): Promise<FilesReport> {
  const view = openLedgerView(file, false);
  try {
    await meanwhile();
    return await auditFiles(view, ports(), 20);
  } finally {
    view.close();
  }
}

const removeOld = async (): Promise<void> => {
  await lookAfterOutput({
    ledger,
    ...ports(),
    clock: { now: () => new Date(Date.now() + 3_600_000), monotonicMs: () => 0 },
    retention: { keepOutputMs: 1000, maxBytes: 1e9 },
  });
};

async function someRuns(): Promise<void> {
  await runOf(1, 'one\n', { 'a.txt': 'first', 'b.txt': 'second' });
  await runOf(2, 'x'.repeat(3 * MAX_BYTES));
  await runOf(3, '');
  await runOf(4, 'four\n', { 'a.txt': 'fourth' });
}

test('what is as it was written holds: whole, cut in the middle, empty, with artifacts', async () => {
  await someRuns();
  expect(await audit()).toEqual({ compared: 7, removed: 0, wrong: 0, findings: [] });
});

describe('is found, and everything that is wrong is named', () => {
  test.each<[what: string, change: () => void, says: string, fault: string, wrong?: number]>([
    [
      'another byte',
      () => edit(outputOf(1), 'one', 'two'),
      `The output of run ${runIdOf(1)} does not fit its digest`,
      'output',
    ],
    [
      'bytes behind its end',
      () => {
        appendFileSync(outputOf(1), 'more');
      },
      `The output of run ${runIdOf(1)} does not fit its digest`,
      'output',
    ],
    [
      'a whole piece behind its end',
      () => {
        appendFileSync(outputOf(1), pieceOf('more\n'));
      },
      `The output of run ${runIdOf(1)} does not fit its digest`,
      'output',
    ],
    [
      'bytes behind the end of one that is cut in the middle',
      () => {
        appendFileSync(outputOf(2), '\0');
      },
      `The output of run ${runIdOf(2)} does not fit its digest`,
      'output',
    ],
    [
      'an end that is cut off',
      () => truncateSync(outputOf(2), 3000),
      `The output of run ${runIdOf(2)} does not fit`,
      'output',
    ],
    [
      'the output of another run',
      () => exchange(outputOf(1), outputOf(4)),
      `The output of run ${runIdOf(1)} does not`,
      'output',
      2,
    ],
    [
      'an output that is gone',
      () => {
        rmSync(outputOf(4));
      },
      `The output of run ${runIdOf(4)} is not there`,
      'output',
    ],
    [
      'an output where none was',
      () => {
        rmSync(outputOf(3), { force: true });
        writeFileSync(outputOf(3), readFileSync(outputOf(1)));
      },
      `The output of run ${runIdOf(3)} does not fit`,
      'output',
    ],
    [
      'something that cannot be read',
      () => {
        rmSync(outputOf(1));
        mkdirSync(outputOf(1));
      },
      `The output of run ${runIdOf(1)} cannot be read.`,
      'output',
    ],
    [
      'another artifact',
      () => {
        writeFileSync(artifactOf(1, 'b.txt'), 'SECOND');
      },
      `The artifact out/b.txt of run ${runIdOf(1)} does not fit its digest`,
      'artifact',
    ],
    [
      'a longer artifact',
      () => {
        appendFileSync(artifactOf(4, 'a.txt'), ' ');
      },
      `The artifact out/a.txt of run ${runIdOf(4)} does not fit its digest`,
      'artifact',
    ],
    [
      'an artifact that is gone',
      () => {
        rmSync(artifactOf(1, 'a.txt'));
      },
      `The artifact out/a.txt of run ${runIdOf(1)} is not there`,
      'artifact',
    ],
    [
      'all of it',
      () => {
        for (const name of ['output', 'artifacts']) rmSync(path.join(folder, name), { recursive: true });
      },
      `The output of run ${runIdOf(1)} is not there`,
      'output',
      6,
    ],
  ])('%s', async (_, change, says, fault, wrong = 1) => {
    await someRuns();
    change();
    const report = await audit();
    expect(report).toMatchObject({ wrong, removed: 0 });
    expect(report.findings).toHaveLength(wrong);
    expect(report.findings[0]).toMatchObject({ fault, message: expect.stringContaining(says) as string });
  });
});

describe('what was removed on purpose is no finding', () => {
  test('by age, also while somebody looks, and while its removal was cut off by a crash', async () => {
    await someRuns();
    const report = await audit(removeOld);
    expect(report).toEqual({ compared: 0, removed: 3, wrong: 0, findings: [] });
    // Its mark is there, its file as well: killed between the two.
    await runOf(5, 'five\n');
    await ledger.forgetOutput([runIdOf(5)]);
    expect(await audit()).toMatchObject({ compared: 1, wrong: 0 });
  });

  test('with its record', async () => {
    await someRuns();
    await ledger.prune([1, 2].map(runIdOf), operationOf(9, 'prune'));
    for (const n of [1, 2]) rmSync(outputOf(n));
    rmSync(path.dirname(path.dirname(artifactOf(1, 'a.txt'))), { recursive: true });
    expect(await audit()).toEqual({ compared: 3, removed: 0, wrong: 0, findings: [] });
  });
});

test('no more findings are told than were asked for, and all are counted', async () => {
  await someRuns();
  for (const name of ['output', 'artifacts']) rmSync(path.join(folder, name), { recursive: true });
  const view = openLedgerView(file, false);
  onTestFinished(() => {
    view.close();
  });
  const { wrong, findings } = await auditFiles(view, ports(), 2);
  expect({ wrong, told: findings.length }).toEqual({ wrong: 6, told: 2 });
});

describe('of a run that was interrupted', () => {
  /** As its runner leaves it that is killed, in the middle of a frame; recorded as recovery does. */
  const interrupted = async (n: number, text: string, change: Partial<Interruption> = {}): Promise<void> => {
    const { output } = ports();
    await ledger.enqueue(queuedRun(n), OWNER, DOCUMENT);
    await ledger.begin(runIdOf(n), { startedAt: timeOf(n), containment: REAPER }, null);
    output.open(runIdOf(n), MAX_BYTES).write(0, 'stdout', Buffer.from(text));
    appendFileSync(outputOf(n), pieceOf('torn').subarray(0, 20));
    const left = await leftOutput(output, runIdOf(n));
    await ledger.interrupt(runIdOf(n), { ...interruptionOf(n), output: left, ...change });
  };

  test('what lay there is compared, up to where it is torn', async () => {
    await interrupted(1, 'half\n');
    await interrupted(2, '');
    expect(await ledger.get(runIdOf(1))).toMatchObject({
      interruption: { output: { bytes: 5, digest: sha256(Buffer.from('half\n')) } },
    });
    expect(await audit()).toEqual({ compared: 2, removed: 0, wrong: 0, findings: [] });
    edit(outputOf(1), 'half', 'HALF');
    rmSync(outputOf(2));
    expect((await audit()).findings.map(({ message }) => message)).toEqual([
      `The output of run ${runIdOf(1)} does not fit its digest: it was changed or damaged.`,
    ]);
    rmSync(outputOf(1));
    expect((await audit()).findings.map(({ message }) => message)).toEqual([
      `The output of run ${runIdOf(1)} is not there, and was not removed by age or size.`,
    ]);
  });

  test('a piece that somebody puts into the place of a torn one is found', async () => {
    await interrupted(1, 'half\n');
    const whole = readFileSync(outputOf(1));
    writeFileSync(outputOf(1), Buffer.concat([whole.subarray(0, -20), pieceOf('more')]));
    expect(await audit()).toMatchObject({ compared: 1, wrong: 1 });
  });

  test('it is as valid as ever without a digest, in records of older versions and where nobody could look', async () => {
    const { output: _, ...old } = { ...interruptionOf(1), output: null };
    await interrupted(1, 'one\n');
    await interrupted(2, 'two\n', { output: null });
    await ledger.enqueue(queuedRun(3), OWNER, DOCUMENT);
    await ledger.interrupt(runIdOf(3), old);
    edit(outputOf(2), 'two', 'TWO');
    expect(await audit()).toEqual({ compared: 1, removed: 0, wrong: 0, findings: [] });
    expect(verifyChain(ledger.links())).toBeNull();
  });

  test('it may be removed by age like any', async () => {
    await interrupted(1, 'half\n');
    await removeOld();
    expect(await audit()).toEqual({ compared: 0, removed: 1, wrong: 0, findings: [] });
  });
});

/** One frame, as a spool writes it. */
function pieceOf(text: string): Buffer {
  return Buffer.concat(encodeFrame({ kind: 'stdout', sequence: 9, step: 0, payload: Buffer.from(text) }));
}

function edit(of: string, from: string, to: string): void {
  const text = readFileSync(of, 'latin1');
  expect(text).toContain(from);
  writeFileSync(of, text.replace(from, to), 'latin1');
}

function exchange(one: string, other: string): void {
  renameSync(one, `${one}-aside`);
  renameSync(other, one);
  renameSync(`${one}-aside`, other);
}
