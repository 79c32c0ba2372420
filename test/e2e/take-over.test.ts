/** Whoever goes on from a step finds what the run before has left: its work folder, and the outputs of its steps. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';

/** The second step succeeds once there is a file `ok`, and tells what it finds. */
const DOCUMENT = `# Go

# Environment Requirements
\`\`\`yaml
NODE:
  default: a
\`\`\`

# Limits
\`\`\`yaml
concurrency: 1
\`\`\`

# Steps

## Look
\`\`\`yaml
outputs: OLD, DB_PASSWORD
\`\`\`
\`\`\`bash
echo looked >> file
printf 'OLD=v1\\nDB_PASSWORD=canary\\n' >> "$RUNBOOK_OUTPUT"
\`\`\`

## Change
\`\`\`yaml
outputs: NEW
\`\`\`
\`\`\`bash
echo "change \${OLD-unset} \${DB_PASSWORD-unset} $(cat file 2>&1)"
echo NEW=v2 >> "$RUNBOOK_OUTPUT"
test -e "$HOME/ok"
\`\`\`

## Use
\`\`\`bash
echo "use \${OLD-unset} \${NEW-unset} $(cat file 2>&1)"
test -e "$HOME/used"
\`\`\`
`;

interface Stopped extends Home {
  execute(...options: readonly string[]): Promise<CliResult>;
  newest(): Promise<StoredRun | undefined>;
  /** Work folders that are there. */
  folders(): readonly string[];
}
/** The first run has stopped at its second step. */
async function stopped(): Promise<Stopped> {
  const home = createHome();
  home.write('Go.md', DOCUMENT);
  const execute: Stopped['execute'] = async (...options) =>
    await home.run(['execute', '-q', './Go.md', '--history', 'ledger', ...options]);
  expect(await execute()).toMatchObject({ exitCode: 1, stdout: 'change v1 *** looked\n' });
  return {
    ...home,
    execute,
    newest: async () => {
      const { runs }: { runs: readonly StoredRun[] } = JSON.parse((await home.run(['history', '--json'])).stdout);
      return runs[0];
    },
    folders: () => readdirSync(path.join(home.folder, '.tmp')).filter((name) => name.startsWith('runbook-exec-')),
  };
}

describe('going on from a step', () => {
  it('files and outputs are there again, those of secrets are not, and in the end nothing stays', async () => {
    const home = await stopped();
    expect(home.folders()).toHaveLength(1);
    expect((await home.run(['plan', './Go.md', '--from', 'Change'])).stdout).not.toContain('is gone');
    const again = await home.execute('--from', 'Change');
    expect(again).toMatchObject({ exitCode: 1, stdout: 'change v1 unset looked\n' });
    expect(again.stderr).toContain('DB_PASSWORD of “Look” is not known; give it with --env DB_PASSWORD.');
    home.write('ok', '');
    expect(await home.execute('--from', 'Change')).toMatchObject({
      exitCode: 1,
      stdout: 'change v1 unset looked\nuse v1 v2 looked\n',
    });
    expect(home.folders()).toHaveLength(1);
    expect(existsSync((await home.newest())?.result?.workFolder ?? '')).toBe(true);
    home.write('used', '');
    expect(await home.execute('--from', 'Use')).toMatchObject({ exitCode: 0, stdout: 'use v1 v2 looked\n' });
    expect(home.folders()).toEqual([]);
  });

  it('what the caller gives wins over what was passed on', async () => {
    const home = await stopped();
    expect((await home.execute('--from', 'Change', '--env', 'OLD=given')).stdout).toBe('change given unset looked\n');
  });

  it('one step that is made up for leaves the rest to whoever goes on', async () => {
    const home = await stopped();
    home.write('ok', '');
    expect(await home.execute('--only', 'Change')).toMatchObject({ exitCode: 0 });
    expect(home.folders()).toHaveLength(1);
    expect(existsSync((await home.newest())?.result?.workFolder ?? '')).toBe(true);
    expect((await home.execute('--from', 'Use')).stdout).toBe('use v1 v2 looked\n');
  });

  it('nothing is taken over for other variables, in a rehearsal, or behind a run that has succeeded since', async () => {
    const home = await stopped();
    expect((await home.execute('--from', 'Change', '--env', 'NODE=b', '--keep-workdir', 'never')).stdout).toContain(
      'change unset',
    );
    mkdirSync(path.join(home.folder, 'stubs'));
    chmodSync(home.write('stubs/ssh', '#!/bin/sh\n'), 0o755);
    const stubs = ['--stubs', 'stubs', '--from', 'Change'];
    expect((await home.execute(...stubs)).stdout).toContain('change unset');
    expect(home.folders()).toHaveLength(1);
    for (const name of ['ok', 'used']) home.write(name, '');
    expect(await home.execute()).toMatchObject({ exitCode: 0 });
    const late = await home.execute('--from', 'Use');
    expect(late.stdout).toContain('use unset');
    expect(late.stderr).toMatch(/Run \w+ has succeeded since run \w+; nothing is taken over/);
  });

  it('a folder that is not there any more is missed aloud, and that of another ledger stays where it is', async () => {
    const home = await stopped();
    for (const copy of ['a copy', 'one of its own']) {
      cpSync(home.stateDir, path.join(home.folder, copy), { recursive: true });
      const there = ['--state-dir', copy];
      if (copy === 'one of its own')
        for (const words of [['pause', 'because'], ['resume']])
          expect(await home.run([...words, ...there])).toMatchObject({ exitCode: 0 });
      const run = await home.execute('--from', 'Change', '--keep-workdir', 'never', ...there);
      expect(run.stderr).toMatch(/Run \w+ belongs to the ledger that this one is a copy of; nothing is taken over/);
      expect(run.stdout).toContain('change unset');
    }
    expect(home.folders()).toHaveLength(1);
    expect((await home.execute('--from', 'Change')).stdout).toBe('change v1 unset looked\n');
    for (const name of home.folders()) rmSync(path.join(home.folder, '.tmp', name), { recursive: true });
    const plan = await home.run(['plan', './Go.md', '--history', 'ledger', '--from', 'Change']);
    const late = await home.execute('--from', 'Change');
    const missed = /The work folder of run \w+ was not kept or is gone: what its steps left is missing/;
    for (const said of [late.stderr, plan.stdout]) {
      expect(said).toMatch(missed);
      expect(said).toContain('OLD of “Look”, DB_PASSWORD of “Look” are not known');
    }
    expect(late.stderr).toMatch(/The work folder of run \w+ was not kept or is gone: what its steps left is missing/);
    expect(late.stdout).toContain('change unset');
  });

  it('a run that cannot begin leaves the folder where it was', async () => {
    const home = await stopped();
    home.write(
      'Go.md',
      DOCUMENT.replace('# Steps', '# Steps\n').replace('echo looked', 'touch "$HOME/begun"; sleep 20; true'),
    );
    const other = home.run([
      'execute',
      '-q',
      './Go.md',
      '--history',
      'ledger',
      '--only',
      'Look',
      '--env',
      'NODE=z',
      '--timeout',
      '8s',
    ]);
    while (!existsSync(path.join(home.folder, 'begun'))) await new Promise((resolve) => setTimeout(resolve, 50));
    home.write('Go.md', DOCUMENT);
    expect(await home.execute('--from', 'Change')).toMatchObject({ exitCode: 75, stdout: '' });
    await other;
    expect((await home.execute('--from', 'Change')).stdout).toBe('change v1 unset looked\n');
  });
});
