/** `validate -`: a document that comes on stdin, as from an editor or a hook of git; with `--fix` it goes through. */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { BIN, cleanEnvironment, createHome } from '../helpers/cli.ts';

const RIGHT = '# Task\n\n# Limits\n```yaml\ntimeout: 5m\n```\n\n# Steps\n\n## One\n```bash\necho limts\n```\n';
const WRONG = RIGHT.replace('# Limits', '# limits');
const INVALID = WRONG.replace('timeout: 5m', 'timeout: never');

describe('validate -', () => {
  test('is as a file, called <stdin>, and its title has no file name to be like', async () => {
    const home = createHome();
    expect(await home.run(['validate', '-'], { input: RIGHT })).toEqual({
      stdout: '',
      stderr: '1 document valid\n',
      exitCode: 0,
    });
    const { stdout, exitCode } = await home.run(['validate', '-'], { input: WRONG });
    expect(stdout).toMatch(/^<stdin>:3:1: error: .* \(section-misspelt\)\n {2}fix: /);
    expect(exitCode).toBe(65);
    const json = await home.json(['validate', '-'], { input: WRONG });
    expect(json).toMatchObject({ valid: false, documents: [{ path: '<stdin>', problems: [{ line: 3 }] }] });
    const annotation = await home.run(['validate', '-', '--format', 'github'], { input: WRONG });
    expect(annotation.stdout).toMatch(/^::error file=<stdin>,line=3,/);
  });

  test('stands beside files, and a file of that name is ./-', async () => {
    const home = createHome();
    home.write('Task.md', RIGHT);
    home.write('-', WRONG);
    const both = await home.json(['validate', './Task.md', '-'], { input: WRONG });
    expect(both).toMatchObject({
      documents: [
        { path: 'Task.md', valid: true },
        { path: '<stdin>', valid: false },
      ],
    });
    const { stdout } = await home.run(['validate', './-']);
    expect(stdout).toContain('-:3:1: error:');
  });

  test('inputs are looked for from the working folder', async () => {
    const home = createHome();
    const input = RIGHT.replace(
      '# Limits',
      '# File System Requirements\n```yaml\nInput:\n  - here.txt\n```\n\n# Limits',
    );
    expect((await home.run(['validate', '-', '--ready'], { input })).exitCode).toBe(78);
    home.write('here.txt', 'x');
    expect((await home.run(['validate', '-', '--ready'], { input })).exitCode).toBe(0);
  });

  test.each([
    [['-', '-'], 'given twice'],
    [['-', '--watch'], '--watch and - (stdin) exclude each other'],
    [['-', '--fix', '--json'], 'stdout is the repaired document'],
    [['-', '--fix', '--format', 'sarif', '--output', '-'], 'stdout is the repaired document'],
    [['-', '--fix', '--output', '/dev/stdout'], 'stdout is the repaired document'],
  ])('%j is refused', async (words, why) => {
    const { stderr, exitCode } = await createHome().run(['validate', ...words], { input: RIGHT });
    expect(stderr).toContain(why);
    expect(exitCode).toBe(64);
  });

  test('what is too large is not taken in', async () => {
    const home = createHome();
    const command = execa(process.execPath, ['--', BIN, 'validate', '-'], {
      cwd: home.folder,
      env: cleanEnvironment(home.folder),
      extendEnv: false,
      reject: false,
      timeout: 100_000,
    });
    const block = Buffer.alloc(1024 ** 2, ' ');
    const endless = Readable.from(
      (function* () {
        for (;;) yield block;
      })(),
    );
    await pipeline(endless, command.stdin).catch(() => {});
    const { stderr, exitCode } = await command;
    expect(stderr).toContain('more than 64 MiB');
    expect(exitCode).toBe(65);
  });
});

describe('validate --fix -', () => {
  test('stdout is the repaired document, byte for byte, and all else is on stderr', async () => {
    const home = createHome();
    const { stdout, stderr, exitCode } = await home.run(['validate', '--fix', '-'], { input: WRONG });
    expect({ stdout, exitCode }).toEqual({ stdout: RIGHT, exitCode: 0 });
    expect(stderr).toMatch(/^<stdin>:3: fixed: .* \(section-misspelt\)\n1 document valid\n$/);
    // What is right goes through, as through any formatter.
    expect(await home.run(['validate', '--fix', '-', '-q'], { input: RIGHT })).toEqual({
      stdout: RIGHT,
      stderr: '',
      exitCode: 0,
    });
  });

  test('what cannot be repaired goes through as it is, with 65 and its problems on stderr', async () => {
    const { stdout, stderr, exitCode } = await createHome().run(['validate', '--fix', '-'], { input: INVALID });
    expect(stdout).toBe(INVALID.replace('# limits', '# Limits'));
    expect(stderr).toContain('<stdin>:5:10: error: ');
    expect(exitCode).toBe(65);
  });

  test('--dry-run prints the difference instead', async () => {
    const { stdout } = await createHome().run(['validate', '--fix', '--dry-run', '-'], { input: WRONG });
    expect(stdout).toContain('\n-# limits\n+# Limits\n');
    expect(stdout).not.toContain('echo limts');
  });

  test('a report goes into a file', async () => {
    const home = createHome();
    const words = ['validate', '--fix', '-', '--json', '--output', 'report.json'];
    const { stdout } = await home.run(words, { input: WRONG });
    expect(stdout).toBe(RIGHT);
    const report: unknown = JSON.parse(readFileSync(`${home.folder}/report.json`, 'utf8'));
    expect(report).toMatchObject({ valid: true, documents: [{ path: '<stdin>', fixed: [{ line: 3 }] }] });
  });
});
