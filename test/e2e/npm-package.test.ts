/** The npm package: what is in it, and that `npm install --global` of it is enough. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { classic, REPOSITORY } from '../helpers/cli.ts';
import { linksOf } from '../helpers/document-text.ts';

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const manifest = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};

describe('the npm package', () => {
  let place = '';
  let packed: Packed | undefined;
  let said = '';
  /** The Node that runs the tests, no setting of the user's, nothing in the user's home. */
  const env = (): Record<string, string> => ({
    PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: path.join(place, 'home'),
  });
  const installed = (): string => path.join(place, 'prefix/bin/runbook');

  beforeAll(async () => {
    place = mkdtempSync(path.join(tmpdir(), 'runbook-npm-'));
    mkdirSync(path.join(place, 'home'));
    // The bundle is there, and other tests use it: it is not built anew under them.
    const { stdout } = await execa('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', place], {
      cwd: REPOSITORY,
      env: { ...env(), HOME: process.env['HOME'] ?? '' },
    });
    [packed] = JSON.parse(stdout) as Packed[];
    const install = [
      'install',
      '--global',
      '--prefix',
      path.join(place, 'prefix'),
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
    ];
    // From where the user's npm has packages: that is a setting of the user's.
    const { all } = await execa('npm', [...install, path.join(place, packed?.filename ?? '')], {
      cwd: place,
      env: { ...env(), HOME: process.env['HOME'] ?? '' },
      all: true,
    });
    said = all;
  });

  afterAll(() => {
    rmSync(place, { recursive: true, force: true });
  });

  test('has the program, its documents and licences, and nothing else', () => {
    const files = packed?.files.map((file) => file.path) ?? [];
    const needed =
      'bin/runbook.js dist/start.cjs dist/main.cjs dist/libraries/server.cjs dist/THIRD_PARTY_LICENSES dist/explorer/explorer.html libexec/reaper.pl libexec/reaper.py schemas/execute.schema.json RUNBOOK_FORMAT.md README.md CHANGELOG.md LICENSE SECURITY.md docs/cli.md samples/README.md package.json';
    expect(files).toEqual(expect.arrayContaining(needed.split(' ')));
    const meant =
      /^(bin|dist|docs|libexec|runbooks|samples|schemas)\/|^(RUNBOOK_FORMAT|README|CHANGELOG|CONTRIBUTING|SECURITY)\.md$|^LICENSE$|^package\.json$/;
    expect(files.filter((file) => !meant.test(file) || /\.(ts|map|test\.\w+)$/.test(file))).toEqual([]);
    console.log(`${packed?.size} bytes, ${packed?.unpackedSize} unpacked, ${files.length} files`);
  });

  test('has what its documents lead to; only the source is not there', () => {
    const files = new Set(packed?.files.map((file) => file.path));
    const isThere = (target: string): boolean =>
      files.has(target) || [...files].some((file) => file.startsWith(`${target.replace(/\/$/, '')}/`));
    const dead = [...files]
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        linksOf(readFileSync(path.join(REPOSITORY, file), 'utf8'))
          .filter((href) => !/^(?:https?:|mailto:|#)/.test(href))
          .map((href) => path.join(path.dirname(file), decodeURI(href).replace(/#.*$/, '')))
          .filter((target) => !isThere(target))
          .map((target) => ({ file, target })),
      );
    const ofSource = /^(?:src|bench|test)\//;
    expect(dead.filter(({ target }) => !ofSource.test(target))).toEqual([]);
    expect(dead.filter(({ file }) => !/^docs\/(?:adr\/|architecture|performance)|^CHANGELOG/.test(file))).toEqual([]);
    expect(dead.length).toBeGreaterThan(0);
  });

  test('has no script that would run at an installation', () => {
    const atInstallation = new Set([
      'preinstall',
      'install',
      'postinstall',
      'prepublish',
      'preprepare',
      'prepare',
      'postprepare',
    ]);
    expect(Object.keys(manifest.scripts).filter((name) => atInstallation.has(name))).toEqual([]);
    expect(said).not.toContain('install-scripts');
  });

  test('brings the database driver along, and no library that is in the bundle', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['better-sqlite3']);
    const folder = path.join(place, 'prefix/lib/node_modules/runbook/node_modules');
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual(['better-sqlite3', 'node-addon-api']);
  });

  test('every module that the bundle asks for by name is Node’s own, or the driver', () => {
    const asked = readdirSync(path.join(REPOSITORY, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.cjs'))
      .flatMap((file) => {
        const text = readFileSync(path.join(REPOSITORY, 'dist', file), 'utf8');
        // Behind a quotation mark it is a text: ajv can write modules, and is not asked to.
        const calls = /(?<!['"`])\b(?:require|require\.resolve|import)\("([^".][^"]*)"\)/g;
        return Array.from(text.matchAll(calls), ([, name = '']) => name);
      })
      .filter((name) => !name.startsWith('node:'));
    const builtin = new Set(builtinModules);
    expect([...new Set(asked)].filter((name) => !builtin.has(name))).toEqual(['better-sqlite3/package.json']);
  });

  test('works where nothing else of the project is', async () => {
    const run = async (...args: readonly string[]) =>
      await execa(installed(), args, {
        cwd: path.join(place, 'home'),
        env: env(),
        extendEnv: false,
        reject: false,
        all: true,
      });
    writeFileSync(path.join(place, 'home/A.md'), classic('A', 'echo it works', { claims: 'roles: sre' }));
    writeFileSync(path.join(place, 'home/secret'), randomBytes(32).toString('hex'), { mode: 0o600 });
    const secret = { RUNBOOK_JWT_SECRET_FILE: path.join(place, 'home/secret') };
    const version = await run('--version');
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+$/);
    const { stdout: token } = await execa(installed(), ['token', 'mint', '--subject', 'anna', '--role', 'sre'], {
      env: { ...env(), ...secret },
      extendEnv: false,
    });
    const executed = await execa(installed(), ['execute', './A.md', '--history', 'ledger', '--token', '-'], {
      ...{ cwd: path.join(place, 'home'), env: { ...env(), ...secret }, extendEnv: false, reject: false, input: token },
    });
    expect(executed.stderr).toMatch(/succeeded/);
    expect(executed.stdout).toBe('it works');
    expect((await run('history')).stdout).toMatch(/A +succeeded/);
  });

  // A new one is to be named under `man` in package.json: npm links what that names, and heeds no `directories.man`.
  test('has its pages of the manual where man looks', () => {
    const [made, linked] = [path.join(REPOSITORY, 'dist/man'), path.join(place, 'prefix/share/man/man1')];
    const pages = existsSync(made) ? readdirSync(made).toSorted() : [];
    expect(existsSync(linked) ? readdirSync(linked).toSorted() : []).toEqual(pages);
  });
});
