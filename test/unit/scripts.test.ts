/** The scripts in the documents that people start from: shellcheck and Python's own parser have nothing to say of them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, test } from 'vitest';
import { parseRunbook } from '../../src/core/parse/parse.ts';
import type { Script } from '../../src/core/runbook.ts';
import { REPOSITORY } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';

interface Found {
  readonly where: string;
  readonly script: Script;
}

/** Every script of every document of a folder, those of parts of steps too. */
function scriptsOf(folder: string): readonly Found[] {
  const documents = readdirSync(path.join(REPOSITORY, folder)).filter((name) => name.endsWith('.md'));
  return documents.flatMap((file) => {
    const { runbook, problems } = parseRunbook(readFileSync(path.join(REPOSITORY, folder, file)), { fileName: file });
    if (runbook === null) throw new Error(`${file} is not valid: ${JSON.stringify(problems)}`);
    return runbook.steps.flatMap((step) =>
      [step.script, step.doneWhen, step.rollback].flatMap((script) =>
        script === null || script === undefined ? [] : [{ where: `${file}: ${step.name}`, script }],
      ),
    );
  });
}

function complaints(command: string, args: readonly string[], input: string, cwd = REPOSITORY): string {
  const { exitCode, all } = execaSync(command, args, { input, cwd, all: true, reject: false });
  return exitCode === 0 ? '' : (all ?? 'it could not be started');
}
/** With the options that it is begun with, so that a `cd` that fails is known to end it. That HOSTS is not assigned (SC2153) is as it should be. */
const shellcheck = (script: string, shell: string, options: readonly string[] = []): string =>
  complaints(
    'shellcheck',
    [`--shell=${shell}`, '--exclude=SC2153', '-'],
    `${options.length > 0 ? `set ${options.join(' ')}` : ':'}\n${script}`,
  );

const FOLDERS = ['samples/runbooks', 'samples/cookbook', 'runbooks'];

describe.skipIf(!requires('shellcheck'))('shellcheck', () => {
  test('would find a mistake', () => {
    expect(shellcheck('rm -rf $FOLDER/*\n', 'bash')).toContain('SC2086');
    expect(shellcheck('[[ $A == b ]]\n', 'sh')).toContain('SC');
  });

  test.each(FOLDERS)('has nothing to say of the scripts in %s', (folder) => {
    const shells = scriptsOf(folder).filter(({ script }) => /^(?:ba)?sh$/.test(script.interpreter));
    expect(shells.length).toBeGreaterThan(3);
    const found = shells.map(({ where, script }) => [
      where,
      shellcheck(`${script.body}\n`, script.interpreter, script.options),
    ]);
    expect(found.filter(([, said]) => said !== '')).toEqual([]);
  });

  test('has nothing to say of the files beside the cookbook', () => {
    const folder = path.join(REPOSITORY, 'samples/cookbook');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
      .map((entry) => path.join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(15);
    const options = ['--shell=bash', '--external-sources', '--source-path=SCRIPTDIR'];
    expect(complaints('shellcheck', [...options, ...files], '')).toBe('');
  });
});

describe.skipIf(!requires('python3'))('Python', () => {
  test.each(FOLDERS)('can read the scripts in %s', (folder) => {
    const parser = ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'];
    expect(complaints('python3', parser, 'print("\n')).toContain('SyntaxError');
    const found = scriptsOf(folder)
      .filter(({ script }) => script.interpreter.startsWith('python'))
      .map(({ where, script }) => [where, complaints('python3', parser, script.body)]);
    expect(found.filter(([, said]) => said !== '')).toEqual([]);
  });
});
