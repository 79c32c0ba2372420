/** The samples that an SRE would use as they are, with a real database, real certificates, a real server and repository. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { createServer } from 'node:tls';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRepository, git } from '../helpers/repository.ts';
import { requires } from '../helpers/requires.ts';
import { copySamples } from '../helpers/samples.ts';
import type { Samples } from '../helpers/samples.ts';

const OPENSSL = 'openssl';

describe.skipIf(!requires(OPENSSL))('CheckCertificates (needs openssl)', () => {
  /** Self-signed, for `days` from now. */
  function certify(samples: Samples, name: string, days: number): { readonly cert: string; readonly key: string } {
    const [cert, key] = [`${name}.pem`, `${name}.key`].map((file) => path.join(samples.folder, file));
    const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`];
    const files = ['-out', cert ?? '', '-keyout', key ?? ''];
    execFileSync(OPENSSL, ['req', '-x509', ...options, ...files, '-days', String(days)], { stdio: 'ignore' });
    return { cert: cert ?? '', key: key ?? '' };
  }
  const check = async (samples: Samples, ...variables: readonly string[]) =>
    await samples.execute(
      'CheckCertificates',
      variables.flatMap((variable) => ['--env', variable]),
    );
  const folderOf = (samples: Samples): string => path.join(samples.folder, 'runbooks/CheckCertificates');

  test('finds the certificate that comes with it in order', async () => {
    const run = await check(copySamples('samples/runbooks'));
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^files: 1\nservers: none\n +\d{5} days {2}CheckCertificates\/example\.pem {2}ok\n$/);
    expect(run.kept.stdout).toBe(run.stdout);
    expect(run.record).toMatchObject({
      result: { outcome: 'succeeded' },
      variables: [
        { name: 'HOSTS', origin: 'default', value: 'none' },
        { name: 'HOST_TIMEOUT', origin: 'default', value: '5s' },
        { name: 'MIN_DAYS', origin: 'default', value: '21' },
      ],
    });
  });

  test('ends with 2 when one has too few days, and names it', async () => {
    const samples = copySamples('samples/runbooks');
    renameSync(certify(samples, 'soon', 20).cert, path.join(folderOf(samples), 'soon.pem'));
    // A file that cannot be read must not hide the one that is known to be bad.
    writeFileSync(path.join(folderOf(samples), 'zzz.pem'), 'no certificate\n');
    const run = await check(samples);
    expect(run.exitCode).toBe(2);
    expect(run.stdout).toMatch(/^ +(?:19|20) days {2}CheckCertificates\/soon\.pem {2}below 21 days$/m);
    expect(run.stdout).toMatch(/^ +unknown {2}CheckCertificates\/zzz\.pem$/m);
    expect(run.record.result).toMatchObject({ outcome: 'failed', exitCode: 2 });
    expect(run.record.result?.steps.map((step) => step.outcome)).toEqual(['succeeded', 'succeeded', 'failed']);
    expect(await check(samples, 'MIN_DAYS=10')).toMatchObject({ exitCode: 3 });
    copyFileSync(
      path.join(import.meta.dirname, '../fixtures/certificates/expired.pem'),
      path.join(folderOf(samples), 'over.pem'),
    );
    expect(await check(samples, 'MIN_DAYS=0')).toMatchObject({ exitCode: 2 });
  });

  test('asks servers what they show', async () => {
    const samples = copySamples('samples/runbooks');
    const { cert, key } = certify(samples, 'localhost', 5);
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    server.on('tlsClientError', () => {});
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;

    const shown = await check(samples, `HOSTS=127.0.0.1:${port}`, 'MIN_DAYS=3');
    expect(shown.stdout).toMatch(new RegExp(`^ +[45] days {2}127\\.0\\.0\\.1:${port} {2}ok$`, 'm'));
    expect(shown.exitCode).toBe(0);
    expect(await check(samples, `HOSTS=127.0.0.1:${port}`)).toMatchObject({ exitCode: 2 });
    server.close();
    const silent = await check(samples, `HOSTS=127.0.0.1:${port}`);
    expect(silent.exitCode).toBe(3);
    expect(silent.stdout).toMatch(/^ +unknown {2}127\.0\.0\.1:\d+$/m);
  });

  test.each(['MIN_DAYS=soon', 'HOSTS=-help:443 $(id)', 'HOST_TIMEOUT=1h'])('is refused with %s', async (variable) => {
    expect(await check(copySamples('samples/runbooks'), variable)).toMatchObject({ exitCode: 78, stdout: '' });
  });
});

describe.skipIf(!requires('python3', '-c', 'import sqlite3'))('BackupDatabase (needs python3 with sqlite3)', () => {
  interface Setup {
    readonly samples: Samples;
    readonly database: Database.Database;
    readonly folder: string;
    readonly copies: () => readonly string[];
    readonly backUp: (...options: readonly string[]) => ReturnType<Samples['execute']>;
  }

  /** A database in use: write-ahead log, 1000 orders, and a transaction that is open. */
  async function setUp(): Promise<Setup> {
    const samples = copySamples('samples/runbooks');
    const folder = path.join(samples.folder, 'copies of it');
    mkdirSync(folder);
    const database = new Database(path.join(samples.folder, 'shop.sqlite'));
    onTestFinished(() => void database.close());
    database.pragma('journal_mode = WAL');
    database.exec('create table orders (id integer primary key, text not null)');
    const insert = database.prepare('insert into orders (text) values (?)');
    for (let n = 0; n < 1000; n += 1) insert.run(`order ${n} ${'x'.repeat(100)}`);
    database.exec('begin');
    insert.run('not committed');
    const dba = await samples.token('--role', 'dba');
    return {
      samples,
      database,
      folder,
      copies: () => readdirSync(folder).sort(),
      backUp: async (...options) => {
        const variables = ['--env', `DATABASE=${database.name}`, '--env', `BACKUP_FOLDER=${folder}`];
        return await samples.execute('BackupDatabase', [...variables, '--yes', ...dba, ...options]);
      },
    };
  }

  test('copies what is committed, twice, and prunes the older copy', async () => {
    const { backUp, copies, database, folder } = await setUp();
    const first = await backUp();
    expect(first).toMatchObject({ exitCode: 0, record: { result: { outcome: 'succeeded' } } });
    const [copy = '', checksum, ...others] = copies();
    expect(others).toEqual([]);
    expect(copy).toMatch(new RegExp(`^shop-\\d{8}T\\d{6}Z-${first.record.runId}\\.sqlite$`));
    expect(checksum).toBe(`${copy}.sha256`);
    expect(first.stdout).toContain('integrity: ok\n');
    expect(first.stdout).toMatch(new RegExp(`^[0-9a-f]{64} {2}${copy}$`, 'm'));
    expect(first.stdout).toMatch(/\ncopies: 1\n$/);
    const restored = new Database(path.join(folder, copy), { readonly: true });
    onTestFinished(() => void restored.close());
    expect(restored.prepare('select count(*) as n from orders').get()).toEqual({ n: 1000 });

    database.exec('commit');
    // Not ours: another name, and a copy of a database whose name begins the same.
    const foreign = ['shop-old.sqlite', copy.replace('shop-', 'shop-2-'), `${copy.replace('shop-', 'shop-2-')}.sha256`];
    for (const name of foreign) writeFileSync(path.join(folder, name), '');
    const second = await backUp('--env', 'KEEP=1');
    expect(second).toMatchObject({ exitCode: 0, record: { result: { outcome: 'succeeded' } } });
    expect(second.stdout).toContain(`removed ${copy}\n`);
    const left = copies().filter((name) => !foreign.includes(name));
    expect(copies()).toHaveLength(foreign.length + 2);
    expect(left[0]).toContain(second.record.runId);
    expect(left[1]).toBe(`${left[0] ?? ''}.sha256`);
    const newer = new Database(path.join(folder, left[0] ?? ''), { readonly: true });
    onTestFinished(() => void newer.close());
    expect(newer.prepare('select count(*) as n from orders').get()).toEqual({ n: 1001 });
    expect(second.record.result?.steps.map((step) => step.outcome)).toEqual(Array(4).fill('succeeded'));
  });

  test('stops before it prunes when the copy is not whole', async () => {
    const { backUp, copies, database } = await setUp();
    await backUp();
    const [copy] = copies();
    database.exec('rollback; vacuum; pragma wal_checkpoint(truncate)');
    database.close();
    const bytes = readFileSync(database.name);
    bytes.fill(0xff, bytes.length - 6000, bytes.length - 2000);
    writeFileSync(database.name, bytes);

    const run = await backUp('--env', 'KEEP=1');
    expect(run.exitCode).not.toBe(0);
    expect(run.record.result?.steps.map((step) => step.outcome)).toEqual(['succeeded', 'failed', 'skipped', 'skipped']);
    expect(run.record.result?.steps[1]?.reason).toContain('Done when');
    expect(copies()).toEqual([copy, `${copy ?? ''}.sha256`, expect.stringContaining(run.record.runId)]);
  });

  test('refuses what is no database, and leaves nothing behind', async () => {
    const { backUp, copies, database } = await setUp();
    database.close();
    writeFileSync(database.name, 'text\n');
    const run = await backUp();
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.kept.stderr).toContain('is not a SQLite database');
    expect(copies()).toEqual([]);
  });

  test('leaves nothing behind when the copy breaks off', async () => {
    const { backUp, copies, database } = await setUp();
    database.close();
    writeFileSync(database.name, readFileSync(database.name).subarray(0, 100));
    const run = await backUp();
    expect(run.exitCode).not.toBe(0);
    expect(run.record.result?.steps.map((step) => step.outcome)).toEqual(['succeeded', 'failed', 'skipped', 'skipped']);
    expect(copies()).toEqual([]);
  });

  test('asks before it removes copies', async () => {
    const { samples, database, folder, copies } = await setUp();
    const variables = ['--env', `DATABASE=${database.name}`, '--env', `BACKUP_FOLDER=${folder}`];
    const run = await samples.execute('BackupDatabase', [...variables, ...(await samples.token('--role', 'sre'))]);
    expect(run).toMatchObject({ exitCode: 78, record: { refusal: { code: 'requirements-unmet' } } });
    expect(copies()).toEqual([]);
  });
});

describe.skipIf(!requires('git') || !requires('python3'))('ReleaseNotes (needs git and python3)', () => {
  test('attaches sorted notes once', async () => {
    const samples = copySamples('samples/runbooks');
    const repository = createRepository(path.join(samples.folder, 'app'), { 'a.txt': 'a\n' });
    git(repository, 'tag', 'v1.0.0');
    for (const subject of ['fix(parser): read empty lines', 'feat!: a new command', 'Tidy up'])
      git(repository, 'commit', '--allow-empty', '--message', subject);
    const sre = await samples.token('--role', 'sre');
    const options = ['--env', `REPOSITORY=${repository}`, '--env', 'SINCE=v1.0.0', '--yes', ...sre];

    const run = await samples.execute('ReleaseNotes', options);
    expect(run).toMatchObject({ exitCode: 0, record: { result: { outcome: 'succeeded' } } });
    const notes = git(repository, 'notes', '--ref=release', 'show', 'HEAD');
    expect(notes.replaceAll(/\([0-9a-f]+\)/g, '(…)')).toBe(
      '### Added\n- a new command (…)\n### Fixed\n- read empty lines (…)\n### Other\n- Tidy up (…)\n',
    );
    expect(run.kept.stdout).toContain(notes);

    const again = await samples.execute('ReleaseNotes', options);
    expect(again.exitCode).not.toBe(0);
    expect(again.record.result?.steps.map((step) => step.outcome)).toEqual(['succeeded', 'succeeded', 'failed']);
    expect(git(repository, 'notes', '--ref=release', 'show', 'HEAD')).toBe(notes);
  });
});
