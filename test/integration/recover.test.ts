/** Runs whose owner is gone, looked after: by one, by several at once, by one that is killed at it. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  mkdirSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { verifyChain } from '../../src/core/chain.ts';
import { readEntries } from '../../src/core/history/document-history.ts';
import { renderEntry } from '../../src/core/history/document-entry.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { entryOf } from '../../src/engine/entry.ts';
import { recover } from '../../src/engine/recover.ts';
import type { RecoveryPorts } from '../../src/engine/recover.ts';
import { times } from '../helpers/property.ts';
import { DOCUMENT, runIdOf, sha256, timeOf } from '../helpers/records.ts';
import { requires } from '../helpers/requires.ts';
import { ALIVE, DEAD, documentOf, leftRun, recoveryPorts } from '../helpers/recovery.ts';

const HELPERS = path.join(import.meta.dirname, '../helpers');
const RECOVERER = path.join(HELPERS, 'recoverer.ts');
const canMount = requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt');

let folder = '';
let ports: RecoveryPorts;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'runbook-recover-'));
  writeFileSync(documentOf(folder), DOCUMENT);
  ports = recoveryPorts(folder);
});
afterEach(() => {
  ports.ledger.close();
  rmSync(folder, { recursive: true });
});

/** @returns what a person is told */
async function lookAfter(by = ports): Promise<readonly string[]> {
  const told: string[] = [];
  await recover(by, async (warning) => {
    told.push(warning);
  });
  return told;
}

const scratch = (...names: readonly string[]): string => path.join(folder, 'scratch', ...names);
const rootOf = (n: number): string => `runbook-exec-${runIdOf(n).toLowerCase()}`;
const runOf = async (n: number): Promise<StoredRun | null> => await ports.ledger.get(runIdOf(n));

/** Runs with an entry in the document, in order; `foreign` for what is none of ours, or not whole. */
function entriesOf(document?: string): readonly string[] {
  const text = readFileSync(documentOf(folder, document), 'utf8');
  const entries = readEntries(text.slice(text.indexOf('# History')));
  return entries.map((entry) => (entry.origin === 'runbook' ? entry.facts.run : 'foreign'));
}

describe('a run whose owner is gone', () => {
  test('counts as interrupted: with reason, step and work folder, and an entry in its document', async () => {
    const runId = await leftRun(ports, folder, 1);
    const work = scratch(rootOf(1), 'work');
    const told = await lookAfter();
    expect(told).toEqual([
      `Run ${runId} of Restart: Interrupted at “Drain” (step 2 of 3). Its process (1 on ${DEAD.host}) is gone. How it ended is not known.`,
    ]);
    const run = await runOf(1);
    expect(run).toMatchObject({ state: 'interrupted', result: null, startedAt: timeOf(1) });
    expect(run?.interruption).toMatchObject({
      reason: `Its process (1 on ${DEAD.host}) is gone.`,
      progress: { step: 1, of: 3, name: 'Drain', at: timeOf(1) },
      survivors: [],
      workFolder: work,
      output: { bytes: 12, digest: sha256(Buffer.from('output of 1\n')) },
    });
    // What a step has written stays; scripts, outputs of steps and secrets do not.
    expect(readdirSync(scratch(rootOf(1))).sort()).toEqual(['kept.json', 'work']);
    expect(readFileSync(path.join(work, 'result'), 'utf8')).toBe('half');

    const document = readFileSync(documentOf(folder), 'utf8');
    expect(document).toContain(`# History\n\n### ${run?.interruption?.at} | Exit Code: -1\n`);
    expect(document).toContain('**Stdout:**\n```\noutput of 1\n\n```\n');
    expect(document).toContain('**Error:**\n```\nInterrupted at “Drain” (step 2 of 3). Its process');
    expect(entriesOf()).toEqual([runId]);
    expect(await ports.ledger.isEntryPending(runId)).toBe(false);

    // Once more is as good as once: nothing is told, nothing is written.
    expect(await lookAfter()).toEqual([]);
    expect(readFileSync(documentOf(folder), 'utf8')).toBe(document);
    expect(verifyChain(ports.ledger.links())).toBeNull();
  });

  test('leaves neither folder nor entry where it had not begun', async () => {
    await leftRun(ports, folder, 1, { state: 'queued' });
    expect(await lookAfter()).toHaveLength(1);
    expect((await runOf(1))?.interruption).toMatchObject({ progress: null, workFolder: null });
    expect(readdirSync(scratch())).toEqual([]);
    expect(readFileSync(documentOf(folder))).toEqual(DOCUMENT);
    expect(await lookAfter()).toEqual([]);
  });

  test('gives the folder back that it had taken over, where it had not begun', async () => {
    await leftRun(ports, folder, 1);
    await lookAfter();
    await leftRun(ports, folder, 2, { state: 'queued', continues: runIdOf(1) });
    rmSync(scratch(rootOf(2)), { recursive: true });
    const never = new AbortController().signal;
    expect(await ports.workspace.adopt(runIdOf(2), runIdOf(1), never)).not.toBeNull();

    await lookAfter();
    expect((await runOf(2))?.interruption).toMatchObject({ workFolder: null });
    const again = await ports.workspace.adopt(runIdOf(3), runIdOf(1), never);
    expect(readFileSync(path.join(again?.folder.path ?? '', 'result'), 'utf8')).toBe('half');
  });

  test('is left alone while its owner is there, or may be', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString();
    const elsewhere = { ...DEAD, pidNamespace: 'pid:[1]' };
    await leftRun(ports, folder, 1, { owner: ALIVE });
    await leftRun(ports, folder, 2, { owner: elsewhere, leaseUntil: soon });
    await leftRun(ports, folder, 3, { owner: elsewhere });
    expect(await lookAfter()).toEqual([]);
    expect(await ports.ledger.underWay()).toHaveLength(3);
    expect(readdirSync(scratch())).toHaveLength(3);

    const before = new Date(Date.now() - 1).toISOString();
    expect(await ports.ledger.renewLease(runIdOf(2), before)).toBe(true);
    expect(await lookAfter()).toEqual([expect.stringContaining(`Nothing was heard since ${before}`)]);
    expect(await ports.ledger.underWay()).toHaveLength(2);
  });

  test('has its processes ended, and those that cannot be seen from here are not looked for', async () => {
    const sleeper = (n: number) => execa('sleep', ['300'], { env: { RUNBOOK_RUN_ID: runIdOf(n) }, reject: false });
    const sleepers = [sleeper(1), sleeper(2)] as const;
    onTestFinished(() => {
      for (const one of sleepers) one.kill('SIGKILL');
    });
    await leftRun(ports, folder, 1);
    await leftRun(ports, folder, 2, { owner: { ...DEAD, bootId: 'an earlier one' } });
    expect(await lookAfter()).toHaveLength(2);
    expect(await sleepers[0]).toMatchObject({ signal: 'SIGKILL' });
    process.kill(sleepers[1].pid ?? 0, 0);
  });

  test('says whether processes are left: none, or that nobody could look', async () => {
    const before = new Date(Date.now() - 1).toISOString();
    await leftRun(ports, folder, 1);
    await leftRun(ports, folder, 2, { owner: { ...DEAD, bootId: 'an earlier one' } });
    await leftRun(ports, folder, 3, { owner: { ...DEAD, pidNamespace: 'pid:[1]' }, leaseUntil: before });
    const elsewhere = { ...DEAD, bootId: 'another', host: 'ops-9' };
    await leftRun(ports, folder, 4, { owner: elsewhere, leaseUntil: before });
    const told = await lookAfter();
    const unknown = 'Whether processes of it are left could not be looked at.';
    expect(told.map((line) => line.endsWith(unknown))).toEqual([false, false, true, true]);
    const runs = await Promise.all([1, 2, 3, 4].map(runOf));
    expect(runs.map((run) => run?.interruption?.survivors)).toEqual([[], [], null, null]);
    // Who counts as gone by the clock alone may still write.
    const lay = [1, 2].map((n) => ({ bytes: 12, digest: sha256(Buffer.from(`output of ${n}\n`)) }));
    expect(runs.map((run) => run?.interruption?.output)).toEqual([...lay, null, null]);
  });

  test.skipIf(!canMount)('is recorded also where its folder cannot be cleared away (needs unshare)', async () => {
    await leftRun(ports, folder, 1, { historyMode: 'ledger' });
    const mounting = 'mount -t tmpfs none "$0" && exec "$@"';
    const inNamespace = ['-rm', 'sh', '-c', mounting, scratch(rootOf(1), 'control')];
    const { stdout } = await execa('unshare', [...inNamespace, process.execPath, RECOVERER, folder], { lines: true });
    expect(stdout).toEqual([
      'ready',
      expect.stringMatching(/left in its work folder could not be cleared away: it is a mount or in use/),
      expect.stringMatching(/^Run .* of Restart: Interrupted at “Drain”/),
    ]);
    expect(await runOf(1)).toMatchObject({ state: 'interrupted', interruption: { workFolder: null } });
  });

  test('waits for a ledger that another process holds, without a word', async () => {
    await leftRun(ports, folder, 1);
    const file = path.join(folder, 'state/ledger.sqlite');
    const holder = execa(process.execPath, [path.join(HELPERS, 'lock-holder.ts'), file, '0']);
    onTestFinished(() => {
      holder.kill('SIGKILL');
    });
    await once(holder.stdout, 'data');
    expect(await lookAfter()).toEqual([]);
    expect((await runOf(1))?.state).toBe('started');
    expect(existsSync(scratch(rootOf(1), 'control'))).toBe(true);
    holder.stdin.write('\n');
    await holder;
    expect(await lookAfter()).toHaveLength(1);
  });
});

describe('an entry that is still to be written', () => {
  /** Ended by somebody else, who could not write its entry. */
  const interrupted = async (n: number, document?: string): Promise<StoredRun> => {
    const runId = await leftRun(ports, folder, n, document === undefined ? {} : { document });
    const interruption = {
      at: new Date().toISOString(),
      reason: 'Gone.',
      progress: null,
      survivors: [],
      workFolder: null,
    };
    expect(await ports.ledger.interrupt(runId, interruption)).toBe(true);
    const run = await runOf(n);
    if (run === null) throw new Error('it is not there');
    return run;
  };

  test('is written once, also where its writer died before it could say so', async () => {
    const run = await interrupted(1);
    const entry = await entryOf(ports, run);
    if (entry === null) throw new Error('it leaves none');
    const document = { path: documentOf(folder), hasHistory: false, stamp: '' };
    await ports.documentHistory.append(document, entry);
    expect(await ports.ledger.isEntryPending(runIdOf(1))).toBe(true);
    await lookAfter();
    expect(await ports.ledger.isEntryPending(runIdOf(1))).toBe(false);
    expect(entriesOf()).toEqual([runIdOf(1)]);
  });

  test('is written whole, and one that was torn is closed off', async () => {
    const entry = await entryOf(ports, await interrupted(1));
    if (entry === null) throw new Error('it leaves none');
    const text = renderEntry(entry);
    for (const share of [0.7, 0.8, 0.95]) {
      const torn = text.slice(0, Math.floor(text.length * share));
      writeFileSync(documentOf(folder), `${DOCUMENT.toString()}# History\n\n${torn}`);
      const again = recoveryPorts(mkdtempSync(path.join(folder, 'again-')));
      await leftRun(again, folder, 1);
      await lookAfter(again);
      expect(entriesOf()).toEqual(['foreign', runIdOf(1)]);
      expect(readFileSync(documentOf(folder), 'utf8')).toContain('*The entry above is incomplete');
      again.ledger.close();
    }
  });

  test('waits for its document, of which one try is enough, and keeps no other from its turn', async () => {
    // A folder in the place of the document: not even root can write that.
    mkdirSync(documentOf(folder, 'Stuck'));
    writeFileSync(documentOf(folder, 'Other'), DOCUMENT);
    for (const n of [1, 2, 3]) await interrupted(n, 'Stuck');
    for (const n of [4, 5]) await interrupted(n, 'Other');
    const tried: string[] = [];
    const { documentHistory } = ports;
    const watched = {
      ...ports,
      documentHistory: {
        ...documentHistory,
        has: async (file: string, runId: string) => {
          tried.push(runId);
          return await documentHistory.has(file, runId);
        },
      },
    };
    expect(await lookAfter(watched)).toEqual([]);
    expect(tried).toEqual([1, 4, 5].map(runIdOf));
    expect(entriesOf('Other')).toEqual([4, 5].map(runIdOf));
    expect((await ports.ledger.pendingEntries(9)).map(({ runId }) => runId)).toEqual([runIdOf(1)]);

    rmdirSync(documentOf(folder, 'Stuck'));
    writeFileSync(documentOf(folder, 'Stuck'), DOCUMENT);
    await lookAfter();
    expect(entriesOf('Stuck')).toEqual([1, 2, 3].map(runIdOf));
    expect(await ports.ledger.pendingEntries(9)).toEqual([]);
  });

  test('is given up after 30 days, which is told, and no sooner', async () => {
    for (const n of [1, 2]) await interrupted(n, 'Away');
    const later = (days: number): RecoveryPorts => ({
      ...ports,
      clock: { ...ports.clock, now: () => new Date(Date.now() + days * 24 * 3_600_000) },
    });
    expect(await lookAfter(later(29))).toEqual([]);
    expect(await ports.ledger.isEntryPending(runIdOf(1))).toBe(true);
    expect(await lookAfter(later(31))).toEqual(
      [1, 2].map((n): unknown =>
        expect.stringMatching(
          new RegExp(`^The entry of run ${runIdOf(n)} is given up, .*Away.md cannot be .*ledger\\.$`),
        ),
      ),
    );
    expect(await ports.ledger.pendingEntries(9)).toEqual([]);
    // One that can be written is, however long it has waited.
    await interrupted(3);
    expect(await lookAfter(later(31))).toEqual([]);
    expect(entriesOf()).toEqual([runIdOf(3)]);
  });

  test('is left to whoever is at it, until that one is gone', async () => {
    await interrupted(1);
    const soon = new Date(Date.now() + 60_000).toISOString();
    const elsewhere = { ...DEAD, pidNamespace: 'pid:[1]' };
    expect(await ports.ledger.claimEntry(runIdOf(1), elsewhere, soon)).toBe(true);
    await lookAfter();
    expect(await ports.ledger.isEntryPending(runIdOf(1))).toBe(true);
    expect(await ports.ledger.claimEntry(runIdOf(1), elsewhere, timeOf(1))).toBe(true);
    await lookAfter();
    expect(entriesOf()).toEqual([runIdOf(1)]);
  });
});

describe('several who look after the same runs', () => {
  const start = () => execa(process.execPath, [RECOVERER, folder], { reject: false, lines: true });
  const expectAllDone = async (count: number): Promise<void> => {
    const all = Array.from({ length: count }, (_, n) => n);
    const runs = await Promise.all(all.map(runOf));
    expect(runs.map((run) => run?.state)).toEqual(all.map(() => 'interrupted'));
    expect([...entriesOf()].filter((id) => id !== 'foreign').sort()).toEqual(all.map(runIdOf).sort());
    expect(await ports.ledger.pendingEntries(9)).toEqual([]);
    const lost = all.filter((n) => runs[n]?.interruption?.workFolder !== scratch(rootOf(n), 'work'));
    expect(lost).toEqual([]);
    expect(all.filter((n) => !existsSync(scratch(rootOf(n), 'kept.json')))).toEqual([]);
    expect(all.filter((n) => existsSync(scratch(rootOf(n), 'control')))).toEqual([]);
    // Three links a run: nothing was recorded twice.
    expect([...ports.ledger.links()]).toHaveLength(3 * count);
    expect(verifyChain(ports.ledger.links())).toBeNull();
  };

  test('at once: each run is recorded and written once', async () => {
    const count = times(12, 100);
    for (let n = 0; n < count; n += 1) await leftRun(ports, folder, n);
    const told = (await Promise.all([start(), start(), start()])).flatMap(({ stdout }) => stdout);
    await lookAfter();
    expect(told.filter((line) => line !== 'ready')).toHaveLength(count);
    await expectAllDone(count);
  });

  test('and are killed at it: the next goes on from there', { timeout: 600_000 }, async () => {
    const count = times(6, 100);
    for (let n = 0; n < count; n += 1) await leftRun(ports, folder, n);
    const kills = times(8, 100);
    for (let round = 0; round < kills; round += 1) {
      const one = start();
      // Somewhere in its work, which is longer than a moment on any machine.
      const wanted = 1 + Math.floor(Math.random() * 3);
      const ended = one.then(() => null);
      for (let lines = 0; lines < wanted;) {
        const chunk = await Promise.race([once(one.stdout, 'data'), ended]);
        if (chunk === null) break;
        lines += String(chunk).trim().split('\n').length;
      }
      await delay(Math.random() * 5);
      one.kill('SIGKILL');
      await one;
    }
    const left = (await ports.ledger.underWay()).length;
    const unwritten = count - left - entriesOf().filter((id) => id !== 'foreign').length;
    await lookAfter();
    console.log(
      `recovery killed ${kills} times: by then ${count - left} of ${count} runs recorded, ${unwritten} entries still to be written`,
    );
    await expectAllDone(count);
  });
});
