/** The cookbook, rehearsed: what each runbook does when all goes well, and where it stops when something does not. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCookbook, SECRETS } from '../helpers/cookbook.ts';
import type { Cookbook } from '../helpers/cookbook.ts';
import { requires } from '../helpers/requires.ts';
import { ENTER, inTerminal } from '../helpers/terminal.ts';

type Attempt = Awaited<ReturnType<Cookbook['rehearse']>>;
const outcomes = (run: Attempt): readonly string[] => run.record.result?.steps.map(({ outcome }) => outcome) ?? [];
const succeeded = (steps: number): readonly string[] => Array<string>(steps).fill('succeeded');
/** Neither what was printed, nor what is kept, nor what the stand-ins saw on their command lines. */
function expectNoSecret(book: Cookbook, run: Attempt, ...secrets: readonly string[]): void {
  for (const secret of [...Object.values(SECRETS), ...secrets])
    expect(`${run.stdout}${run.stderr}${JSON.stringify(run)}${book.calls().join('\n')}`).not.toContain(secret);
}

describe.skipIf(!requires('jq'))('RotateApiKey (needs jq)', () => {
  const VARIABLES = {
    SERVICE: 'shop',
    NAMESPACE: 'web',
    KEYS_URL: 'https://keys.example.com/v1',
    OLD_KEY_ID: 'key-old',
    KEYS_TOKEN: '',
  };
  const NEW_KEY = 'sk-4f1e8c0a97b35d26';
  const revoked = (book: Cookbook): boolean => book.calls().some((call) => /DELETE .*key-old$/.test(call));

  test('gives the new key, sees it used, then revokes the old one; nobody gets to see it', async () => {
    const book = openCookbook();
    const run = await book.rehearse('RotateApiKey', VARIABLES);
    expect(run).toMatchObject({ exitCode: 0, record: { rehearsal: true } });
    expect(outcomes(run)).toEqual(succeeded(4));
    expect(run.stdout).toMatch(/key key-new was used at .*\nkey key-old is revoked\n$/);
    expect(readFileSync(path.join(book.world, 'secret'), 'utf8')).toBe(NEW_KEY);
    expect(readFileSync(path.join(book.world, 'header'), 'utf8')).toContain(`Bearer ${SECRETS['KEYS_TOKEN']}`);
    expectNoSecret(book, run, NEW_KEY);
  });

  test.each([
    ['the new key does not come into place', 'kubectl * set env *', /kubectl .* rollout undo/],
    ['no key can be made', 'curl *POST*', /^/],
  ])('keeps the old key where %s', async (_name, fails, shown) => {
    const book = openCookbook();
    const run = await book.rehearse('RotateApiKey', { ...VARIABLES, STUB_FAILS: fails });
    expect(run.record.result).toMatchObject({ outcome: 'failed' });
    expect(run.stderr).toMatch(shown);
    expect(revoked(book)).toBe(false);
    expectNoSecret(book, run, NEW_KEY);
  });

  test('makes no key in place of one that is revoked already', async () => {
    const book = openCookbook();
    writeFileSync(path.join(book.world, 'key-old'), 'revoked\n');
    expect(outcomes(await book.rehearse('RotateApiKey', VARIABLES))[0]).toBe('failed');
    expect(book.calls().filter((call) => call.includes('POST'))).toEqual([]);
  });
});

describe('DrainNode', () => {
  const VARIABLES = { NODE: 'worker-7' };

  test('waits for a person between draining and bringing it back', async () => {
    const book = openCookbook();
    const { screen, exitCode } = await inTerminal(
      book.folder,
      ['execute', 'DrainNode', ...book.options(VARIABLES)],
      [
        [/Evict every pod from worker-7\?/, `y${ENTER}`],
        [/Do to worker-7 what it was taken out for/, `y${ENTER}`],
      ],
    );
    expect(screen).toContain('node/worker-7 uncordoned');
    expect(exitCode).toBe(0);
    const verbs = book.calls().flatMap((call) => /kubectl (cordon|drain|uncordon) /.exec(call)?.[1] ?? []);
    expect(verbs).toEqual(['cordon', 'drain', 'uncordon']);
    expect(await book.artifact('pods-before.txt')).toContain('shop-1');
  });

  test('says how to take the cordon back where pods do not go', async () => {
    const book = openCookbook();
    const { screen, exitCode } = await inTerminal(
      book.folder,
      ['execute', 'DrainNode', ...book.options({ ...VARIABLES, STUB_FAILS: 'kubectl drain *' })],
      [[/Evict every pod from worker-7\?/, `y${ENTER}`]],
    );
    expect(exitCode).toBe(1);
    expect(screen).toMatch(/To take back “Cordon”, by hand:\s+export NODE=worker-7\s+kubectl uncordon "\$NODE"/);
  });

  test('does not begin where a node is out already, and not without a person', async () => {
    const book = openCookbook();
    expect(await book.rehearse('DrainNode', VARIABLES)).toMatchObject({ exitCode: 78, stdout: '' });
    writeFileSync(path.join(book.world, 'node'), 'Ready,SchedulingDisabled\n');
    const look = await book.rehearse('DrainNode', VARIABLES, ['--only', 'Look', '--yes']);
    expect(look).toMatchObject({ exitCode: 2 });
    expect(look.kept.stderr).toContain('worker-7 is cordoned already');
  });
});

describe('BackupPostgres and RestorePostgres', () => {
  const SERVER = { PGHOST: 'db-1', PGUSER: 'backup', PGPASSWORD: '', DATABASE: 'shop' };
  const createFolder = (book: Cookbook): string => {
    const folder = path.join(book.folder, 'copies of it');
    mkdirSync(folder);
    return folder;
  };

  test('a dump is restored before it counts, the older one goes, and it can be put in place', async () => {
    const book = openCookbook();
    const folder = createFolder(book);
    const variables = { ...SERVER, BACKUP_FOLDER: folder, KEEP: '1' };
    const first = await book.rehearse('BackupPostgres', variables);
    expect(first).toMatchObject({ exitCode: 0 });
    expect(outcomes(first)).toEqual(succeeded(5));
    const second = await book.rehearse('BackupPostgres', variables);
    expect(second.stdout).toContain(`removed shop-`);
    const [dump = '', checksum, ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    expect(dump).toContain(second.record.runId);
    expect(checksum).toBe(`${dump}.sha256`);
    // The scratch databases are gone.
    expect(readFileSync(path.join(book.world, 'databases'), 'utf8')).toBe('');
    expectNoSecret(book, second);

    const restore = await book.rehearse('RestorePostgres', { ...SERVER, DUMP: path.join(folder, dump) });
    expect(restore).toMatchObject({ exitCode: 0 });
    expect(book.calls().filter((call) => call.includes('RENAME'))).toEqual([
      expect.stringMatching(/BEGIN; .* shop RENAME TO shop_until_\d{14}; .* shop_fresh_\d{14} RENAME TO shop; COMMIT/),
    ]);

    writeFileSync(path.join(folder, dump), 'PGDMP of something else\n');
    const spoilt = await book.rehearse('RestorePostgres', { ...SERVER, DUMP: path.join(folder, dump) });
    expect(outcomes(spoilt)[0]).toBe('failed');
  });

  test.each([
    ['cannot be restored', { STUB_FAILS: 'pg_restore *--dbname=verify_*' }, {}, 1],
    ['has too few tables', {}, { 'tables-verify': '2\n' }, 1],
    ['breaks off', { STUB_FAILS: 'pg_dump *' }, {}, 0],
    ['has no room', {}, { free: '1000\n' }, 0],
  ])('a dump that %s removes no older one, and leaves no scratch database', async (_name, fails, world, left) => {
    const book = openCookbook();
    const folder = createFolder(book);
    const variables = { ...SERVER, BACKUP_FOLDER: folder, KEEP: '1' };
    await book.rehearse('BackupPostgres', variables);
    const before = readdirSync(folder);
    for (const [name, value] of Object.entries(world)) writeFileSync(path.join(book.world, name), value);
    const run = await book.rehearse('BackupPostgres', { ...variables, ...fails });
    expect(run.record.result).toMatchObject({ outcome: 'failed' });
    const after = readdirSync(folder);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + left);
    expect(readFileSync(path.join(book.world, 'databases'), 'utf8')).toBe('');
  });

  test('a restore that is not whole does not touch the database, and says how to clean up', async () => {
    const book = openCookbook();
    const folder = createFolder(book);
    await book.rehearse('BackupPostgres', { ...SERVER, BACKUP_FOLDER: folder });
    const [dump = ''] = readdirSync(folder);
    const variables = { ...SERVER, DUMP: path.join(folder, dump), STUB_FAILS: 'pg_restore --jobs*' };
    const run = await book.rehearse('RestorePostgres', variables);
    expect(outcomes(run)).toEqual(['succeeded', 'failed', 'skipped', 'skipped']);
    expect(run.stderr).toMatch(/FRESH=shop_fresh_\d{14}[^]*dropdb --if-exists --force "\$FRESH"/);
    expect(book.calls().filter((call) => /RENAME|ALLOW_CONNECTIONS/.test(call))).toEqual([]);
  });
});

describe.skipIf(!requires('openssl'))('RenewCertificate (needs openssl)', () => {
  const variables = (book: Cookbook): Readonly<Record<string, string>> => ({
    DOMAIN: 'shop.example.com',
    LIVE_FOLDER: path.join(book.world, 'live'),
    SSL_CERT_FILE: path.join(book.world, 'authority.pem'),
  });

  test('renews, checks, reloads, and sees the new one served', async () => {
    const book = openCookbook();
    const run = await book.rehearse('RenewCertificate', variables(book));
    expect(run).toMatchObject({ exitCode: 0 });
    expect(await book.artifact('chain.txt')).toMatch(/cert\.pem: OK/);
    expect(await book.artifact('served.pem')).toContain('BEGIN CERTIFICATE');
    // The new one has 90 days, so there is nothing to renew any more.
    const again = await book.rehearse('RenewCertificate', variables(book));
    expect(again).toMatchObject({ exitCode: 2 });
    expect(book.calls().filter((call) => call.startsWith('certbot'))).toHaveLength(1);
  });

  test.each([
    ['nobody trusts it', { SSL_CERT_FILE: '/dev/null' }, 'a chain that does not hold'],
    ['it has too few days', { STUB_DAYS: '20' }, 'too few days'],
  ])('reloads nothing where %s', async (_name, more, says) => {
    const book = openCookbook();
    const run = await book.rehearse('RenewCertificate', { ...variables(book), ...more });
    expect(outcomes(run)).toEqual(['succeeded', 'succeeded', 'failed', 'skipped']);
    expect(run.kept.stderr).toContain(says);
    expect(book.calls().filter((call) => call.startsWith('systemctl'))).toEqual([]);
  });
});

describe('FreeDisk', () => {
  const variables = (book: Cookbook): Readonly<Record<string, string>> => ({
    MOUNT: book.world,
    LOG_FOLDER: path.join(book.world, 'log'),
  });

  test('removes what was rotated and is old, and nothing else', async () => {
    const book = openCookbook();
    const run = await book.rehearse('FreeDisk', variables(book));
    expect(run).toMatchObject({ exitCode: 0 });
    expect(readdirSync(path.join(book.world, 'log'))).toEqual(['app.log', 'app.log.1']);
    expect(run.stdout).toMatch(/: 93 % before, 79 % now, inodes 12 %; 80 % wanted\n$/);
    expect(await book.artifact('report.txt')).toContain('(deleted)');
    expect(await book.artifact('removed.txt')).toMatch(/app old\.log\.3\.gz/);
  });

  test('says that it was not enough', async () => {
    const book = openCookbook();
    const run = await book.rehearse('FreeDisk', { ...variables(book), TARGET: '70' });
    expect(run).toMatchObject({ exitCode: 1 });
    expect(run.kept.stderr).toContain('still too full');
  });

  test('says that inodes are what is missing, and where the files are', async () => {
    const book = openCookbook();
    writeFileSync(path.join(book.world, 'inodes'), '97');
    const run = await book.rehearse('FreeDisk', variables(book));
    expect(run).toMatchObject({ exitCode: 1 });
    expect(run.kept.stderr).toContain('too few inodes');
    expect(await book.artifact('report.txt')).toMatch(/Folders with the most files\n\d+\s+\//);
  });

  test('asks before it removes', async () => {
    const book = openCookbook();
    expect(await book.rehearse('FreeDisk', variables(book), [])).toMatchObject({ exitCode: 78 });
    expect(readdirSync(path.join(book.world, 'log'))).toHaveLength(4);
  });
});

describe.skipIf(!requires('jq'))('FailoverPostgres (needs jq)', () => {
  const VARIABLES = { PRIMARY: 'db-1', REPLICA: 'db-2', PGPASSWORD: '', NAMESPACE: 'data', SERVICE: 'db' };
  const said = (book: Cookbook, word: string): number => book.calls().findIndex((call) => call.includes(word));

  test('fences, then promotes, then points clients to it', async () => {
    const book = openCookbook();
    const run = await book.rehearse('FailoverPostgres', VARIABLES);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(said(book, 'systemctl disable --now')).toBeGreaterThan(0);
    expect(said(book, 'pg_promote')).toBeGreaterThan(said(book, 'systemctl disable --now'));
    expect(said(book, 'patch service')).toBeGreaterThan(said(book, 'pg_promote'));
    expect(readFileSync(path.join(book.world, 'service'), 'utf8')).toBe('db-2\n');
    expectNoSecret(book, run);
  });

  test.each([
    ['too much would be lost', { lag: '17\n' }, {}, 'Look before touching'],
    ['the primary cannot be fenced', { unreachable: 'db-1\n' }, {}, 'Fence the primary'],
    ['the replica is none', { primary: 'db-2\n' }, {}, 'Look before touching'],
  ])('promotes nobody where %s', async (_name, world, more, step) => {
    const book = openCookbook();
    for (const [name, value] of Object.entries(world)) writeFileSync(path.join(book.world, name), value);
    const run = await book.rehearse('FailoverPostgres', { ...VARIABLES, ...more });
    expect(run.record.result?.steps.find(({ outcome }) => outcome === 'failed')?.name).toBe(step);
    expect(said(book, 'pg_promote')).toBe(-1);
  });

  test('goes on from a primary that somebody has fenced by hand', async () => {
    const book = openCookbook();
    writeFileSync(path.join(book.world, 'unreachable'), 'db-1\n');
    writeFileSync(path.join(book.world, 'stopped'), 'yes\n');
    const run = await book.rehearse('FailoverPostgres', VARIABLES, ['--yes', '--from', 'Fence']);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(said(book, 'ssh ')).toBe(-1);
  });
});

describe('RollbackDeploy', () => {
  const VARIABLES = { SERVICE: 'shop', NAMESPACE: 'web', HEALTH_URL: 'https://shop.example.com/health' };

  test('goes back one revision and asks ten times', async () => {
    const book = openCookbook();
    const run = await book.rehearse('RollbackDeploy', VARIABLES);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toMatch(
      /now: revision 7, shop:1\.6[^]*now: revision 6, shop:1\.5[^]*10 of 10 answers were good\n$/,
    );
    expect(await book.artifact('before.txt')).toContain('shop:1.4');
  });

  test('also where the image has the same name before and after', async () => {
    const run = await openCookbook().rehearse('RollbackDeploy', { ...VARIABLES, STUB_IMAGE: 'shop:latest' });
    expect(run).toMatchObject({ exitCode: 0 });
  });

  test('says how to go forward again where the old one does not answer either', async () => {
    const book = openCookbook();
    const run = await book.rehearse('RollbackDeploy', { ...VARIABLES, STUB_HEALTHY_FROM: '1000' });
    expect(outcomes(run)).toEqual(['succeeded', 'succeeded', 'failed']);
    expect(run.stderr).toMatch(/REVISION_BEFORE=7[^]*rollout undo .*--to-revision="\$REVISION_BEFORE"/);
  });

  test.each([
    ['7', 0],
    ['99', 1],
  ])('does not go to revision %s', async (revision, failed) => {
    const book = openCookbook();
    const run = await book.rehearse('RollbackDeploy', { ...VARIABLES, REVISION: revision });
    expect(outcomes(run)[failed]).toBe('failed');
  });
});

describe('RestartService', () => {
  const VARIABLES = { HOST: 'api-3.example.com', UNIT: 'api', HEALTH_URL: 'http://api-3.example.com:8080/health' };

  test('keeps the journal, restarts, and waits for three good answers', async () => {
    const book = openCookbook();
    const run = await book.rehearse('RestartService', { ...VARIABLES, STUB_HEALTHY_FROM: '2' });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toMatch(/answer 1 is not\nanswer 2 is good\nanswer 3 is good\nanswer 4 is good\n$/);
    expect(await book.artifact('journal.txt')).toContain('waiting for the pool');
    expect(run.kept.stderr).not.toContain('nothing of the journal');
  });

  test('says that it could keep nothing of the journal, and restarts all the same', async () => {
    const run = await openCookbook().rehearse('RestartService', { ...VARIABLES, STUB_EMPTY_JOURNAL: '1' });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.kept.stderr).toContain('nothing of the journal of api could be read');
  });

  test.each([
    ['is not healthy in time', { STUB_HEALTHY_FROM: '100', PATIENCE: '1' }, 2, 'is not healthy'],
    ['cannot be restarted', { STUB_FAILS: 'systemctl restart *' }, 1, 'refused'],
    ['goes on as the same process', { UNIT: 'stubborn' }, 1, ''],
  ])('fails where it %s', async (_name, more, failed, says) => {
    const book = openCookbook();
    const run = await book.rehearse('RestartService', { ...VARIABLES, ...more });
    expect(outcomes(run)[failed]).toBe('failed');
    expect(run.kept.stderr).toContain(says);
  });
});

describe('FirstFiveMinutes', () => {
  const VARIABLES = { SERVICE: 'shop', NAMESPACE: 'web', HEALTH_URL: 'https://shop.example.com/health' };

  test('collects what there is, and takes what fails as a fact', async () => {
    const book = openCookbook();
    const run = await book.rehearse('FirstFiveMinutes', VARIABLES, ['--incident', 'INC-42']);
    expect(run).toMatchObject({ exitCode: 0, record: { incident: 'INC-42' } });
    const summary = await book.artifact('facts/summary.md');
    expect(summary).toMatch(/^- health \(ok\): HTTP 200/m);
    expect(summary).toMatch(/^- usage \(failed\): error: Metrics API not available$/m);
    expect(summary).toMatch(/an error: 1$/m);
    expect(run.stdout).toContain(summary);
  });

  test('changes nothing', async () => {
    const book = openCookbook();
    await book.rehearse('FirstFiveMinutes', VARIABLES, []);
    const reads = /^(?:curl|kubectl (?:--namespace web )?(?:get|describe|top|logs|rollout history)) /;
    expect(book.calls()).toHaveLength(8);
    expect(book.calls().filter((call) => !reads.test(call))).toEqual([]);
  });

  test('fails where nothing answers', async () => {
    const book = openCookbook();
    const run = await book.rehearse('FirstFiveMinutes', { ...VARIABLES, STUB_FAILS: '*' });
    expect(outcomes(run)).toEqual([...succeeded(4), 'failed']);
  });
});
