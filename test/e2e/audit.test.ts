/** `runbook audit` and `history --prune` as a person calls them. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

let home: Home;
beforeEach(() => {
  home = createHome();
  home.write('Task.md', classic('Task', 'echo out'));
});

const run = async (): Promise<void> => {
  await home.run(['execute', './Task.md', '--history', 'ledger']);
};
const ledgerFile = (): string => path.join(home.stateDir, 'ledger.sqlite');

function behind(sql: string): void {
  const db = new Database(ledgerFile());
  db.exec(sql);
  db.close();
}

describe('audit verify', () => {
  test('says that the record holds, what that does not show, and what to keep; a cut end is seen with it', async () => {
    await run();
    await run();
    const { exitCode, stdout } = await home.run(['audit', 'verify']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^The record holds\.\nrecords +6\nruns +2\noperations +0\ndocuments +1\nlast +6:[0-9a-f]{64}\nNot seen: /,
    );
    const kept = /6:[0-9a-f]{64}/.exec(stdout)?.[0] ?? '';
    expect(await home.run(['audit', 'verify', '--expect', kept])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('Not seen, behind record 6:') as string,
    });

    const stays = `CREATE TRIGGER transitions_stay BEFORE DELETE ON transitions
    BEGIN SELECT RAISE(ABORT, 'transitions are never deleted'); END`;
    behind(`DROP TRIGGER transitions_stay; PRAGMA foreign_keys = OFF;
      DELETE FROM runs WHERE first_seq = 4; DELETE FROM transitions WHERE seq > 3; ${stays}`);
    expect(await home.run(['audit', 'verify'])).toMatchObject({ exitCode: 0 });
    expect(await home.run(['audit', 'verify', '--expect', kept])).toMatchObject({
      exitCode: 65,
      stdout: expect.stringContaining('- The record ends with 3, and you have kept the hash of 6.\n') as string,
    });
  });

  test('names the first bad record and ends with 65', async () => {
    await run();
    behind("DROP TRIGGER transitions_keep; UPDATE transitions SET record = replace(record, '}', ' }') WHERE seq = 2");
    const { exitCode, stdout } = await home.run(['audit', 'verify']);
    expect(exitCode).toBe(65);
    expect(stdout).toMatch(/^The record does not hold\.\n- Record 2 was changed: its hash does not fit\.\n/);
  });

  test('makes no ledger where there is none', async () => {
    expect(await home.run(['audit', 'verify'])).toMatchObject({ exitCode: 66 });
    expect(await home.run(['audit', 'copy', 'copy.sqlite'])).toMatchObject({ exitCode: 66 });
    expect(existsSync(ledgerFile())).toBe(false);
    // There may be one, and nobody can look.
    for (const place of [
      ['--ledger', 'Task.md/ledger.sqlite'],
      ['--state-dir', 'Task.md'],
    ])
      expect(await home.run(['audit', 'verify', ...place])).toMatchObject({
        exitCode: 74,
        stderr: expect.stringContaining('Task.md is a file and not a folder') as string,
      });
  });

  test.each(['7', '7:abc', `0:${'a'.repeat(64)}`, `seven:${'a'.repeat(64)}`])(
    'does not take %s for a record',
    async (text) => {
      const { exitCode, stderr } = await home.run(['audit', 'verify', '--expect', text]);
      expect(exitCode).toBe(64);
      expect(stderr).toContain('is not SEQ:HASH');
    },
  );
});

describe('audit verify --outputs', () => {
  test('reads what is kept, too: names all that are wrong, and ends with 65', async () => {
    await run();
    await run();
    expect(await home.run(['audit', 'verify', '--outputs'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^The record holds\.\n(?:.*\n)*files +2 compared, 0 wrong\n/) as string,
    });
    const outputs = path.join(home.stateDir, 'output');
    for (const name of readdirSync(outputs)) writeFileSync(path.join(outputs, name), 'forged');
    const { exitCode, stdout } = await home.run(['audit', 'verify', '--outputs']);
    expect(exitCode).toBe(65);
    expect(stdout).toMatch(
      /^The record does not hold\.\n(?:- The output of run \w{26} does not fit its digest: .*\n){2}records.*\n(?:.*\n)*files +2 compared, 2 wrong\n/,
    );
    // Who does not ask for it is told of the ledger alone.
    expect(await home.run(['audit', 'verify'])).toMatchObject({ exitCode: 0 });
  });

  test('names twenty of many for a person, and all for a machine', async () => {
    const names = Array.from({ length: 22 }, (_, n) => `out/${n}`);
    const listed = names.map((name) => `- ${name}`).join('\n');
    const script = `mkdir out; for n in $(seq 0 21); do echo "$n" > "out/$n"; done`;
    home.write('Many.md', classic('Many', script, { inputs: `Output:\n${listed}` }));
    expect(await home.run(['execute', './Many.md', '--history', 'ledger'])).toMatchObject({ exitCode: 0 });
    const [runId = ''] = readdirSync(path.join(home.stateDir, 'artifacts'));
    for (const name of names) writeFileSync(path.join(home.stateDir, 'artifacts', runId, name), 'forged');
    const { stdout } = await home.run(['audit', 'verify', '--outputs']);
    expect(stdout.match(/^- The artifact out\/\d+ of run /gm)).toHaveLength(20);
    expect(stdout).toContain('\n- … and 2 more files; --json names all.\n');
    const { findings, hasMore, files } = await home.json(['audit', 'verify', '--outputs']);
    expect({ hasMore, files }).toMatchObject({ hasMore: false, files: { wrong: 22 } });
    expect(findings).toHaveLength(22);
  });

  test('goes with no copy, which has no outputs', async () => {
    expect(await home.run(['audit', 'verify', '--outputs', '--ledger', 'copy.sqlite'])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('--outputs does not go with --ledger') as string,
    });
  });
});

describe('audit copy', () => {
  test('makes a copy that verifies by itself, and never over a file that is there', async () => {
    await run();
    expect(await home.run(['audit', 'copy', 'copy.sqlite'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^The record holds\.\nThis is a copy of the ledger in \S+\.\nrecords +3\n/,
      ) as string,
    });
    await run();
    rmSync(ledgerFile());
    expect(await home.run(['audit', 'verify', '--ledger', 'copy.sqlite'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^The record holds\.\nThis is a copy of the ledger in \S+\.\nrecords +3\n/,
      ) as string,
    });
    await run();
    expect(await home.run(['audit', 'copy', 'copy.sqlite'])).toMatchObject({ exitCode: 64 });
    expect(readdirSync(home.folder).filter((name) => name.startsWith('copy'))).toEqual(['copy.sqlite']);
  });
});

describe('history --prune', () => {
  const prune = (...more: readonly string[]) => home.run(['history', '--prune', ...more]);

  test('says what it will do, needs a yes, and is on record; nothing of the runs is left but the chain', async () => {
    await run();
    await run();
    await delay(1100);
    const dry = await prune('--older-than', '1s', '--dry-run');
    expect(dry).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringMatching(/^2 runs ended before .*would be taken out/) as string,
    });
    const { runs } = (await home.json(['history', '-n', '1'])) as unknown as { runs: { runId: string }[] };
    expect(await prune('--older-than', '1s')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('Nobody can be asked') as string,
    });
    expect(readdirSync(path.join(home.stateDir, 'output'))).toHaveLength(2);

    expect(await prune('--older-than', '1s', '--yes')).toMatchObject({
      exitCode: 0,
      stdout: 'Taken out: 2 runs, 6 records, 1 document.\n',
    });
    expect(await home.json(['history'])).toMatchObject({ runs: [], hasMore: false });
    const runId = runs[0]?.runId ?? '';
    const gone = await home.run(['history', runId]);
    expect(gone.exitCode).toBe(66);
    expect(gone.stderr).toMatch(
      new RegExp(`Run ${runId} was taken out of the ledger at \\S+Z by \\S+@\\S+\\.\n.*record 7`),
    );
    // A beginning of both says nothing of either.
    expect((await home.run(['history', '01'])).stderr).toContain('There is no run “01”');
    expect(readdirSync(path.join(home.stateDir, 'output'))).toEqual([]);
    const { stdout } = await home.run(['audit', 'list']);
    expect(stdout).toMatch(/^WHEN +OPERATION +WHO +WHAT +RECORD\n\S+ +prune +\S+@\S+ +2 runs, ended before \S+ +7\n$/);
    expect(await home.run(['audit', 'verify'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('7, 6 of them taken out') as string,
    });
    expect((await prune('--older-than', '1s', '--yes')).stderr).toContain('there is nothing to take out');
  });

  test('never takes out what is younger', async () => {
    await run();
    expect(await prune('--older-than', '1d', '--yes')).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await home.json(['history']))['runs']).toHaveLength(1);
    expect(await home.run(['audit', 'list'])).toMatchObject({ stdout: '', stderr: 'Nothing was done but runs.\n' });
  });

  test.each([
    [['--prune'], /--prune needs an age/],
    [['--prune', '--older-than', '365'], /--older-than: “365” is no age/],
    [['--prune', '--older-than', '0d'], /--older-than: “0d” is no age/],
    [['--older-than', '365d'], /belong to --prune/],
    [['--dry-run'], /belong to --prune/],
    [['--yes'], /--yes belong to --prune/],
    [['01K', '--prune', '--older-than', '365d'], /by age, not by run/],
    [['--prune', '--older-than', '1s', '--runbook', 'Foo', '--yes'], /by age alone, not by --runbook/],
    [['--prune', '--older-than', '1s', '--limit', '1', '--yes'], /by age alone, not by --limit/],
  ])('%j is a mistake of the command line', async (args, says) => {
    expect(await home.run(['history', ...args])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringMatching(says) as string,
    });
  });
});

describe('retention', () => {
  test('a run looks after what is too old or too much, and shows that of another one it is gone', async () => {
    home.write('Loud.md', classic('Loud', 'head -c 300000 /dev/zero | tr "\\0" x'));
    await home.run(['execute', './Loud.md', '--history', 'ledger']);
    const [loud] = (await home.json(['history']))['runs'] as readonly [{ readonly runId: string }];
    behind('DELETE FROM turns');
    const env = { RUNBOOK_MAX_OUTPUT_STORE: '64KiB' };
    expect(await home.run(['execute', './Task.md', '--history', 'ledger'], { env })).toMatchObject({
      exitCode: 0,
      stdout: 'out\n',
    });
    expect(readdirSync(path.join(home.stateDir, 'output'))).toHaveLength(1);
    const { stdout } = await home.run(['history', loud.runId]);
    expect(stdout).toMatch(/output +300000 bytes/);
    expect(stdout).toContain('no longer kept');
  });
});
