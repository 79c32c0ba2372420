/** The archive of `npm run package`: made twice, and used as on a machine where nothing else is installed. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCleanRoot, MADE_WITH } from '../helpers/clean-root.ts';
import type { CleanRoot } from '../helpers/clean-root.ts';
import { createHome, REPOSITORY } from '../helpers/cli.ts';
import { isLong } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';

const SCRIPT = path.join(REPOSITORY, 'scripts/package.ts');
const NAME = `runbook-${(JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as { version: string }).version}-linux-${process.arch}`;
const DEPENDENCIES = ['better-sqlite3', 'commander', 'fastify', 'undici', 'yaml', 'swagger-ui-dist', 'Node.js'];

/** `npm run test:long` packs as `npm run package` does, which takes twice as long as the least that can be packed. */
const OPTIONS = isLong ? [] : ['--level', '1'];
const pack = (out: string, cwd: string, env: Record<string, string> = {}) =>
  execa(process.execPath, [SCRIPT, ...OPTIONS, '--out', out], { cwd, env, reject: false, all: true, stdin: 'ignore' });

describe.skipIf(process.platform !== 'linux')('the archive', () => {
  let place = '';
  let printed = '';
  const archive = (): string => path.join(place, 'out', `${NAME}.tar.gz`);
  const program = (): string => path.join(place, 'a folder', NAME, 'bin/runbook');

  beforeAll(async () => {
    place = mkdtempSync(path.join(tmpdir(), 'runbook-archive-'));
    const made = await pack(path.join(place, 'out'), place);
    if (made.exitCode !== 0) throw new Error(made.all);
    printed = made.stdout;
    mkdirSync(path.join(place, 'a folder'));
    await execa('tar', ['-xzf', archive(), '-C', path.join(place, 'a folder')]);
  });

  afterAll(() => {
    rmSync(place, { recursive: true, force: true });
  });

  test('has its size and digest told, and the digest beside it', async () => {
    expect(printed).toMatch(/\n\d+\.\d MiB\nsha256 [0-9a-f]{64}$/);
    expect(readdirSync(path.join(place, 'out')).toSorted()).toEqual([`${NAME}.tar.gz`, `${NAME}.tar.gz.sha256`]);
    const { stdout } = await execa('sha256sum', ['-c', `${NAME}.tar.gz.sha256`], { cwd: path.join(place, 'out') });
    expect(stdout).toBe(`${NAME}.tar.gz: OK`);
    console.log(printed.split('\n').slice(1).join(', '));
  });

  test('is the same bytes in another folder, under another umask, time zone and language', async () => {
    const again = path.join(place, 'again');
    mkdirSync(again);
    await execa('sh', ['-c', 'umask 077; exec "$0" "$@"', process.execPath, SCRIPT, ...OPTIONS, '--out', again], {
      cwd: '/',
      env: { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'C.UTF-8' },
    });
    const digests = [path.join(place, 'out'), again].map((folder) =>
      readFileSync(path.join(folder, `${NAME}.tar.gz.sha256`), 'utf8'),
    );
    expect(digests[1]).toBe(digests[0]);
  });

  test('has what is needed, sorted, of nobody, and no sources or tests', async () => {
    const { stdout } = await execa('tar', ['-tzvf', archive(), '--numeric-owner']);
    const lines = stdout.split('\n');
    const names = lines.map((line) =>
      line
        .split(/\s+/)
        .slice(5)
        .join(' ')
        .slice(NAME.length + 1),
    );
    const wanted =
      'bin/runbook lib/node lib/bin/runbook.js lib/dist/start.cjs lib/dist/main.cjs lib/libexec/reaper.pl LICENSE THIRD_PARTY_LICENSES README.md RUNBOOK_FORMAT.md CHANGELOG.md schemas/execute.schema.json docs/install.md SECURITY.md CONTRIBUTING.md samples/README.md';
    expect(names).toEqual(expect.arrayContaining(wanted.split(' ')));
    expect(names.filter((name) => name.endsWith('.node'))).toEqual([
      `lib/node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`,
    ]);
    expect(names.filter((name) => /\.(ts|cpp|c|h|map)$|\/(test|src)\//.test(name))).toEqual([]);
    expect(lines.filter((line) => !/^[d-]rw[-x]r-[-x]r-[-x] 0\/0 /.test(line))).toEqual([]);
    // Folder by folder; a file of a name that goes on (`a.md` after `a/`) may stand on either side.
    const files = names.filter((name) => !name.endsWith('/'));
    expect(files).toEqual(files.toSorted((a, b) => compareParts(a.split('/'), b.split('/'))));
  });

  test('has the licences of Node and of what is in the bundle', () => {
    const text = readFileSync(path.join(path.dirname(program()), '../THIRD_PARTY_LICENSES'), 'utf8');
    for (const name of DEPENDENCIES)
      expect(text).toMatch(new RegExp(`^${name} v?\\d+\\.\\d+\\.\\d+.*\\n-{100}\\n\\S`, 'm'));
    expect(text).toContain('Apache License');
    // zlib is in Node's binary.
    expect(text).toContain('Jean-loup Gailly');
  });

  describe.skipIf(!requires('strace'))('its launcher (needs strace)', () => {
    /** The words with which Node is started, by the process that was asked for: nothing is started beside it. */
    async function started(
      command: readonly string[],
      cwd: string,
      env: Record<string, string> = {},
    ): Promise<Buffer[]> {
      const home = createHome();
      const trace = path.join(home.folder, 'trace');
      const options = ['-xx', '-s', '4096', '-e', 'trace=execve', '-o', trace];
      await execa('strace', [...options, ...command], { cwd, env: { HOME: home.folder, ...env }, reject: false });
      const last =
        readFileSync(trace, 'utf8')
          .split('\n')
          .findLast((line) => line.includes('execve(')) ?? '';
      const [, list = ''] = /execve\("[^"]*", \[([^\]]*)\]/.exec(last) ?? [];
      return list.split(', ').map((word) => Buffer.from(word.replaceAll(/\\x|"/g, ''), 'hex'));
    }

    test('hands every word on, byte for byte', async () => {
      const words = ['execute', '', ' a  b ', '*', '$HOME', '\'"\\', '-n', 'first\nsecond\n', '--', '-'];
      const bytes = 'printf "\\377\\200"';
      const all = await started(['sh', '-c', `exec "$0" "$@" "$(${bytes})"`, program(), ...words], '/');
      expect(all.slice(3)).toEqual([...words.map((word) => Buffer.from(word)), Buffer.from([0xff, 0x80])]);
      expect(all[1]?.toString()).toBe('--');
      expect(all[0]?.toString()).toBe(`${path.dirname(program())}/../lib/node`);
    });

    test.each([
      ['a symbolic link', () => ['./link to it']],
      ['a link to a link', () => ['./link to a link']],
      ['the name of a link, by PATH', () => ['runbook-by-link']],
      ['a folder that is a link', () => ['./linked/bin/runbook']],
      ['sh and a bare name', () => ['sh', 'runbook-by-link']],
    ])('is found by %s', async (_, command) => {
      const folder = mkdtempSync(path.join(place, 'links '));
      symlinkSync(path.relative(folder, program()), path.join(folder, 'link to it'));
      symlinkSync('link to it', path.join(folder, 'link to a link'));
      symlinkSync('link to a link', path.join(folder, 'runbook-by-link'));
      symlinkSync(path.dirname(path.dirname(program())), path.join(folder, 'linked'));
      const [first = '', ...others] = command();
      const all = await started([first, ...others, '--version'], folder, {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      });
      expect(all.slice(1).map(String)).toEqual(['--', expect.stringMatching(/lib\/bin\/runbook\.js$/), '--version']);
    });
  });

  test('ignores NODE_OPTIONS, which is meant for others', async () => {
    const home = createHome();
    const env = {
      HOME: home.folder,
      NODE_OPTIONS: `--require=${path.join(home.folder, 'not-there.js')} --no-such-option`,
    };
    const { stdout } = await execa(program(), ['--version'], { env });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('says so on a system that it is not for', async () => {
    const folder = mkdtempSync(path.join(place, 'musl-'));
    const text = readFileSync(program(), 'utf8').replaceAll(
      /\/lib(64)?\/ld-linux[\w.-]+/g,
      '/lib/ld-of-another-system.so',
    );
    const { exitCode, stderr } = await execa('sh', ['-s'], { input: text, cwd: folder, reject: false });
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/^runbook: error: this archive is for Linux with glibc.*\n {2}fix: .*npm package/);
  });

  describe('what did not become one leaves nothing', () => {
    test('without tar, or npm', async () => {
      const tools = mkdtempSync(path.join(place, 'tools-'));
      for (const tool of ['chmod', 'sh', 'strip']) {
        const { stdout, exitCode } = await execa('sh', ['-c', `command -v ${tool}`], { reject: false });
        if (exitCode === 0) symlinkSync(stdout, path.join(tools, tool));
      }
      const out = path.join(place, 'failed');
      const { exitCode, stderr } = await pack(out, place, { PATH: tools });
      expect(stderr).toMatch(/^package: .*ENOENT.*\b(npm|tar) /s);
      expect(exitCode).toBe(1);
      expect(readdirSync(out)).toEqual([]);
    });

    test('stopped half way', async () => {
      const out = path.join(place, 'stopped');
      const packing = pack(out, place);
      while (!readdirSync(place).includes('stopped') || readdirSync(out).length === 0) await delay(10);
      await delay(300);
      packing.kill('SIGTERM');
      const { exitCode, stderr } = await packing;
      expect(stderr).toBe('package: it was stopped');
      expect(exitCode).toBe(1);
      expect(readdirSync(out)).toEqual([]);
    });
  });

  describe.skipIf(process.getuid?.() !== 0 || !requires(MADE_WITH))(
    `in a clean Debian (needs root, ${MADE_WITH})`,
    () => {
      let root: CleanRoot | null = null;

      beforeAll(async () => {
        root = await createCleanRoot();
        const folder = path.join(root.folder, 'opt/run book');
        cpSync(path.dirname(path.dirname(program())), folder, { recursive: true });
        cpSync(path.join(REPOSITORY, 'samples/runbooks'), path.join(root.folder, 'srv/runbooks'), { recursive: true });
        root.link('/opt/run book/bin/runbook', 'usr/local/bin/runbook');
        root.write('srv/use.sh', readFileSync(path.join(REPOSITORY, 'test/fixtures/archive/use.sh'), 'utf8'));
        // Half a minute where it is installed, on a quiet machine.
      }, 600_000);

      afterAll(() => {
        root?.remove();
      });

      test.each(['root', 'plain user'] as const)(
        'does what it is for, as %s, from a folder that is only read',
        async (user) => {
          const variables = ['SAMPLES=/srv/runbooks', 'LIB=/opt/run book/lib'];
          const result = await root?.run(user, ['env', ...variables, 'bash', '/srv/use.sh']);
          const parts = new Map(
            (result?.all ?? '')
              .split(/^== /m)
              .map((part) => [part.split('\n')[0], part.split('\n').slice(1).join('\n').trim()]),
          );
          expect(result?.exitCode, result?.all).toBe(0);
          expect(parts.get('missing')).toBe('');
          expect(parts.get('version')).toMatch(/^\d+\.\d+\.\d+$/);
          expect(parts.get('validate')).toBe('1 document valid');
          expect(parts.get('execute')).toMatch(/^clean-1\.2\.0\/\n.*[0-9a-f]{64} {2}clean-1\.2\.0\.tar$/s);
          expect(parts.get('history')).toMatch(/CreatePackage.*succeeded/s);
          expect(parts.get('audit')).toMatch(/^The record holds\.\nrecords +3\n/);
          expect(parts.get('words')).toMatch(/“no \$such {2}'runbook'”.*\nexit 66$/s);
          expect(parts.get('serve')).toBe(`${'HTTP/1.1 200 OK\r\n'.repeat(3)}exit 0`);
          if (parts.has('completion')) expect(parts.get('completion')).toBe('parsed');
        },
      );
    },
  );
});

function compareParts(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((part, n) => part !== b[n]);
  const [left = '', right = ''] = [a[at], b[at]];
  return left < right ? -1 : Number(left > right);
}
