/** The ledger is backed up, damaged, lost or altered, and restored: by the project's own runbooks, carried out. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { BIN, classic } from '../helpers/cli.ts';
import type { CliResult } from '../helpers/cli.ts';
import { copySamples } from '../helpers/samples.ts';
import type { Samples } from '../helpers/samples.ts';

let samples: Samples;
let env: Readonly<Record<string, string>>;
beforeEach(() => {
  samples = copySamples('runbooks');
  const bin = path.join(samples.folder, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'runbook'), `#!/bin/sh\nexec "${process.execPath}" -- "${BIN}" "$@"\n`);
  chmodSync(path.join(bin, 'runbook'), 0o755);
  env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  samples.write('Task.md', classic('Task', 'echo out'));
});

const ledgerFile = (): string => path.join(samples.stateDir, 'ledger.sqlite');
const backups = (): string => path.join(samples.folder, 'backup');
const copyFile = (): string =>
  path.join(backups(), readdirSync(backups()).find((name) => name.endsWith('.sqlite')) ?? 'none');

const run = (): Promise<CliResult> => samples.run(['execute', './Task.md', '--history', 'ledger']);
const backUp = (): Promise<CliResult> =>
  samples.run(['execute', 'BackupLedger', '--env', `STATE_DIR=${samples.stateDir}`, '--env', `FOLDER=${backups()}`], {
    env,
  });
const restore = (...more: readonly string[]): Promise<CliResult> =>
  samples.run(
    [
      'execute',
      'RestoreLedger',
      '--yes',
      ...['--state-dir', path.join(samples.folder, 'other')],
      ...['--env', `STATE_DIR=${samples.stateDir}`, '--env', `COPY=${copyFile()}`],
      ...more,
    ],
    { env },
  );
const names = async (): Promise<readonly string[]> =>
  (await samples.runs()).map(({ runbook, state }) => `${runbook.name} ${state}`);

describe('BackupLedger', () => {
  test('leaves a copy that holds, its digest and its last record, for nobody else to read', async () => {
    await run();
    expect(await backUp()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('The record holds.') as string,
    });
    const files = readdirSync(backups());
    expect(files.map((name) => name.replace(/\d{8}T\d{6}Z/, 'TIME')).sort()).toEqual([
      'ledger-TIME.sqlite',
      'ledger-TIME.sqlite.last',
      'ledger-TIME.sqlite.sha256',
    ]);
    expect(files.map((name) => statSync(path.join(backups(), name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
    // Three of the run before, two of this one.
    expect(readFileSync(`${copyFile()}.last`, 'utf8')).toMatch(/^5:[0-9a-f]{64}\n$/);
  });

  test('of a ledger that was altered ends with 65, and the copy is there for whoever looks into it', async () => {
    await run();
    const db = new Database(ledgerFile());
    db.exec("DROP TRIGGER transitions_keep; UPDATE transitions SET record = replace(record, '}', ' }') WHERE seq = 2");
    db.close();
    const { exitCode, stdout } = await backUp();
    expect(exitCode).toBe(65);
    expect(stdout).toContain('Record 2 was changed');
    expect(existsSync(copyFile())).toBe(true);
  });
});

describe('RestoreLedger', () => {
  test.each<[why: string, spoil: () => void]>([
    ['damaged', () => writeFileSync(ledgerFile(), Buffer.alloc(20_000, 'x'))],
    ['lost', () => rmSync(ledgerFile())],
    ['whole, and somebody wants the older one', () => {}],
  ])('puts a copy in the place of a ledger that is %s; what was there is kept, runs go on', async (_, spoil) => {
    await run();
    const keyFile = path.join(samples.stateDir, 'fingerprint.key');
    const key = Buffer.alloc(32, 'k');
    writeFileSync(keyFile, key, { mode: 0o600 });
    await backUp();
    await run();
    rmSync(keyFile);
    spoil();
    const before = existsSync(ledgerFile()) ? readFileSync(ledgerFile()) : null;
    const restored = await restore();
    expect(restored).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('4/4') as string });
    expect(readFileSync(keyFile)).toEqual(key);
    expect(await names()).toEqual(['BackupLedger interrupted', 'Task finished']);
    expect(await run()).toMatchObject({ exitCode: 0 });
    expect(await samples.run(['audit', 'verify'])).toMatchObject({ exitCode: 0 });
    // The restored ledger knows that it is one.
    expect((await samples.run(['audit', 'list'])).stdout).toMatch(
      before === null
        ? /pause .*restored from .*, there was none/
        : /pause .*restored from .*kept as ledger\.sqlite\.before-/,
    );
    const kept = readdirSync(samples.stateDir).filter((name) => /^ledger\.sqlite\.before-[^-]+$/.test(name));
    expect(kept).toHaveLength(before === null ? 0 : 1);
    expect(readdirSync(samples.stateDir).filter((name) => /restored|-wal|-shm/.test(name))).toEqual([]);
    // What was whole has the pause of its last moment in it, and every run.
    if (before !== null && before.subarray(0, 6).toString() === 'SQLite') {
      const old = await samples.run(['audit', 'verify', '--ledger', path.join(samples.stateDir, kept[0] ?? '')]);
      expect(old).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/records +10\nruns +3\noperations +1\n/) as string,
      });
    }
  });

  test.each<[where: string, pausedIn: 'ledger' | 'copy', spoil: () => void, isPaused: boolean]>([
    ['the ledger', 'ledger', () => {}, true],
    ['the copy of a ledger that is lost', 'copy', () => rmSync(ledgerFile()), true],
    ['the copy of a ledger that is damaged', 'copy', () => writeFileSync(ledgerFile(), 'x'.repeat(20_000)), true],
    ['the copy alone: the ledger knew that it was over', 'copy', () => {}, false],
  ])('leaves a pause of somebody else: of %s', async (_, pausedIn, spoil, isPaused) => {
    const reason = 'INC-7: "disk" \\ of db, $(id) & `ls`';
    await run();
    if (pausedIn === 'copy') await samples.run(['pause', reason]);
    mkdirSync(backups(), { recursive: true });
    await samples.run(['audit', 'copy', path.join(backups(), 'ledger-1.sqlite')]);
    if (pausedIn === 'copy') await samples.run(['resume']);
    else await samples.run(['pause', reason]);
    spoil();
    expect(await restore()).toMatchObject({ exitCode: 0 });
    const { stdout } = await samples.run(['ps', '--json']);
    expect((JSON.parse(stdout) as { paused: { reason: string } | null }).paused?.reason).toBe(
      isPaused ? reason : undefined,
    );
    expect((await run()).exitCode).toBe(isPaused ? 75 : 0);
  });

  test('lifts its own pause that an earlier try has left', async () => {
    await run();
    await backUp();
    await samples.run(['pause', 'the ledger is being restored']);
    expect(await restore()).toMatchObject({ exitCode: 0 });
    expect((await run()).exitCode).toBe(0);
    // What that has kept holds the pause, and may be what somebody wants back.
    const kept = readdirSync(samples.stateDir).find((name) => name.startsWith('ledger.sqlite.before-')) ?? 'none';
    rmSync(`${copyFile()}.last`);
    rmSync(`${copyFile()}.sha256`);
    renameSync(path.join(samples.stateDir, kept), copyFile());
    rmSync(ledgerFile());
    expect(await restore()).toMatchObject({ exitCode: 0 });
    expect((await run()).exitCode).toBe(0);
  });

  test('says that the key beside the copy is another one, and keeps the one that is there', async () => {
    await run();
    await backUp();
    const keyFile = path.join(samples.stateDir, 'fingerprint.key');
    writeFileSync(keyFile, 'mine', { mode: 0o600 });
    writeFileSync(path.join(backups(), 'fingerprint.key'), 'other', { mode: 0o600 });
    const restored = await restore();
    expect(restored.exitCode).toBe(0);
    expect(restored.stderr + restored.stdout).toContain('fingerprint.key is another one than beside the copy');
    expect(readFileSync(keyFile, 'utf8')).toBe('mine');
  });

  test('does nothing with a copy that does not hold, is another one, or was cut off', async () => {
    await run();
    await backUp();
    const whole = readFileSync(ledgerFile());
    const copy = readFileSync(copyFile());
    const untouched = (): void => {
      expect(readFileSync(ledgerFile()).equals(whole)).toBe(true);
      expect(readdirSync(samples.stateDir).filter((name) => name.startsWith('ledger'))).toEqual(['ledger.sqlite']);
    };
    writeFileSync(copyFile(), Buffer.concat([copy, Buffer.alloc(4096)]));
    expect((await restore()).exitCode).toBe(1);
    untouched();
    rmSync(`${copyFile()}.sha256`);
    writeFileSync(copyFile(), copy);
    const db = new Database(copyFile());
    db.exec(
      "DROP TRIGGER transitions_stay; DELETE FROM transitions WHERE seq = 5; UPDATE runs SET state = 'queued', started_at = NULL WHERE first_seq = 4",
    );
    db.close();
    expect(await restore()).toMatchObject({
      exitCode: 65,
      stdout: expect.stringContaining('The record ends with 4') as string,
    });
    untouched();
    writeFileSync(copyFile(), copy);
    expect((await restore('--env', `EXPECT=2:${'a'.repeat(64)}`)).exitCode).toBe(65);
    untouched();
  });

  test('refuses to write into the ledger that it replaces', async () => {
    await run();
    await backUp();
    for (const own of [[], ['--state-dir', `${samples.stateDir}/../runbook`]]) {
      const options = ['--env', `STATE_DIR=${samples.stateDir}`, '--env', `COPY=${copyFile()}`, '--yes'];
      const { exitCode, stderr } = await samples.run(['execute', 'RestoreLedger', ...own, ...options], { env });
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/--state-dir/);
    }
  });
});
