/** Rehearsals: stand-ins for programs come first, claims are not asked, and nothing of it counts. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';

const RUNBOOK = `"${process.execPath}" -- "${BIN}"`;

async function records(home: Home): Promise<readonly StoredRun[]> {
  const { runs }: { runs: readonly StoredRun[] } = JSON.parse((await home.run(['history', '--json'])).stdout);
  return runs;
}

interface Stage extends Home {
  readonly stubs: string;
  /** Puts a program into the folder of stand-ins. */
  stub(name: string, body: string): void;
}
function createStage(): Stage {
  const home = createHome();
  const stubs = path.join(home.folder, 'stubs');
  mkdirSync(stubs);
  const stub = (name: string, body: string): void => {
    chmodSync(home.write(`stubs/${name}`, `#!/bin/sh\n${body}\n`), 0o755);
  };
  stub('kubectl', 'echo "stand-in: $*"');
  return { ...home, stubs, stub };
}

const GUARDED = (script: string): string => classic('Guarded', script, { claims: 'roles: sre' });

describe('a rehearsal', () => {
  it('starts stand-ins first, says so loudly, needs no claims, and leaves the document alone', async () => {
    const home = createStage();
    const document = home.write('Guarded.md', GUARDED('kubectl drain a; printenv RUNBOOK_API_TOKEN || echo no token'));
    const before = readFileSync(document, 'utf8');
    expect(await home.run(['execute', './Guarded.md'])).toMatchObject({ exitCode: 77 });

    const rehearsal = ['execute', './Guarded.md', '--stubs', 'stubs', '--token-file', 'there-is-none'];
    const { exitCode, stdout, stderr } = await home.run([...rehearsal, '--history', 'file'], {
      env: { RUNBOOK_TOKEN: 'garbage' },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'stand-in: drain a\nno token\n' });
    expect(stderr).toMatch(
      /^runbook: warning: This is a rehearsal: of the programs, only kubectl is a stand-in \(.*\/stubs\), all others are real\. Claims are not asked for, a token is not looked at/,
    );
    expect(stderr).toMatch(/rehearsal succeeded in/);
    expect(readFileSync(document, 'utf8')).toBe(before);
    expect((await home.run([...rehearsal, '-q'])).stderr).toMatch(/This is a rehearsal/);

    const [run] = await records(home);
    expect(run).toMatchObject({ rehearsal: true, historyMode: 'ledger', who: { subject: null } });
    const history = await home.run(['history']);
    expect(history.stdout).toMatch(/ rehearsal: succeeded /);
    expect((await home.run(['history', run?.runId ?? ''])).stdout).toMatch(/^state +finished, a rehearsal/m);
    expect((await home.run(['history', '--outcome', 'succeeded'])).stdout).toBe('');
  });

  it('ends with the exit code of its script, and says in every form that it was one', async () => {
    const home = createStage();
    home.write('Guarded.md', GUARDED('kubectl; exit 3'));
    const { exitCode, stderr, stdout } = await home.run(['execute', './Guarded.md', '--stubs', 'stubs', '--json']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('rehearsal failed: ');
    expect(JSON.parse(stdout)).toMatchObject({ rehearsal: true, result: { outcome: 'failed', workFolder: null } });
  });

  it.each([
    ['a runbook that sets PATH itself', 'PATH:\n  default: /usr/bin:/bin', []],
    ['a caller who gives PATH', '', ['--env', 'PATH=/usr/bin:/bin']],
  ])('puts stand-ins first for %s', async (_name, variables, options) => {
    const home = createStage();
    home.write('A.md', classic('A', 'kubectl x; echo "$PATH"', { env: variables }));
    const { PATH: _path, ...without } = cleanEnvironment(home.folder);
    const { stdout } = await execa(process.execPath, [BIN, 'execute', './A.md', '--stubs', 'stubs', ...options], {
      cwd: home.folder,
      env: { ...without, ...(options.length > 0 ? { PATH: process.env['PATH'] } : { PATH: '/usr/bin:/bin' }) },
      extendEnv: false,
    });
    expect(stdout).toBe(`stand-in: x\n${home.stubs}:/usr/bin:/bin`);
  });

  it('takes no interpreter from the stand-ins, not in a child either', async () => {
    const home = createStage();
    home.stub('bash', 'echo "a stand-in for the interpreter"');
    home.write('Child.md', classic('Child', 'echo real child'));
    home.write('A.md', classic('A', `echo real; cd "$HOME" && ${RUNBOOK} execute -q ./Child.md`));
    const { stdout } = await home.run(['execute', './A.md', '--stubs', 'stubs']);
    expect(stdout).toBe('real\nreal child\n');
  });

  it('asks for variables, inputs and people as usual', async () => {
    const home = createStage();
    home.write('A.md', classic('A', 'true', { env: 'NODE: which one', inputs: 'Input: nothing.txt' }));
    const { exitCode, stderr } = await home.run(['execute', './A.md', '--stubs', 'stubs']);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/NODE[^]*nothing\.txt/);
    home.write('B.md', '# B\n\n# Steps\n\n## One\n```yaml\nconfirm: Sure?\n```\n```sh\ntrue\n```\n');
    expect(await home.run(['execute', './B.md', '--stubs', 'stubs'])).toMatchObject({ exitCode: 78 });
    expect(await home.run(['execute', './B.md', '--stubs', 'stubs', '--yes'])).toMatchObject({ exitCode: 0 });
  });

  it('counts neither as a run to go on from nor for `concurrency`, and goes on from none', async () => {
    const home = createStage();
    const [begun, go] = [path.join(home.folder, 'begun'), path.join(home.folder, 'go')];
    const wait = `touch ${begun}; for _ in $(seq 300); do [ -e ${go} ] && exit 1; sleep 0.1; done`;
    const limits = '# Limits\n```yaml\nconcurrency: 1\n```\n\n';
    const steps = (body: string): string =>
      `# A\n\n${limits}# Steps\n\n## One\n\`\`\`bash\n${body}\n\`\`\`\n\n## Two\n\`\`\`bash\ntrue\n\`\`\`\n`;
    home.write('A.md', steps(wait));
    const underWay = async (...options: readonly string[]): Promise<() => Promise<CliResult>> => {
      for (const file of [begun, go]) rmSync(file, { force: true });
      const run = home.run(['execute', './A.md', '--history', 'ledger', ...options]);
      while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 50));
      return async () => {
        home.write('go', '');
        return await run;
      };
    };
    const endRehearsal = await underWay('--stubs', 'stubs');
    const [first, second] = [
      ['execute', './A.md', '--history', 'ledger', '--only', 'Two'],
      ['--stubs', 'stubs'],
    ];
    expect(await home.run(first)).toMatchObject({ exitCode: 0 });
    expect(await home.run([...first, ...second])).toMatchObject({ exitCode: 0 });
    expect(await endRehearsal()).toMatchObject({ exitCode: 1 });
    expect(await home.run(first)).toMatchObject({ exitCode: 0 });
    for (const run of await records(home)) expect(run).not.toHaveProperty('continues');

    const endReal = await underWay();
    expect(await home.run(first)).toMatchObject({ exitCode: 75 });
    expect(await home.run([...first, ...second])).toMatchObject({ exitCode: 0 });
    expect(await endReal()).toMatchObject({ exitCode: 1 });

    // A real failure is gone on from by a real run only.
    await home.run([...first, ...second]);
    expect((await records(home))[0]).not.toHaveProperty('continues');
    await home.run(first);
    expect((await records(home))[0]).toHaveProperty('continues');
  });

  it('makes one of every runbook that its script calls, whatever that says or forgets', async () => {
    const home = createStage();
    home.write('Child.md', GUARDED('kubectl child').replace('# Guarded', '# Child'));
    home.write('A.md', classic('A', `cd "$HOME" && ${RUNBOOK} execute ./Child.md --history file`));
    const { exitCode, stdout, stderr } = await home.run(['execute', './A.md', '--stubs', 'stubs']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'stand-in: child\n' });
    expect(stderr).toContain('RUNBOOK_STUBS is set');
    expect((await records(home)).map(({ rehearsal }) => rehearsal)).toEqual([true, true]);
    expect(readFileSync(path.join(home.folder, 'Child.md'), 'utf8')).not.toContain('Exit Code');
  });

  it('is what RUNBOOK_STUBS makes of a run, loudly, also where it was set by accident', async () => {
    const home = createStage();
    home.write('Guarded.md', GUARDED('kubectl x'));
    const { exitCode, stdout, stderr } = await home.run(['execute', '-q', './Guarded.md'], {
      env: { RUNBOOK_STUBS: home.stubs },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'stand-in: x\n' });
    expect(stderr).toMatch(/RUNBOOK_STUBS is set to .*, so nothing here is a real run\.\n.*This is a rehearsal/);
    expect((await records(home))[0]).toMatchObject({ rehearsal: true });
    // Whatever is in it cannot turn it into a real run.
    for (const wrong of ['/nowhere', 'stubs', home.folder, ' ']) {
      const refused = await home.run(['execute', './Guarded.md'], { env: { RUNBOOK_STUBS: wrong } });
      expect(refused).toMatchObject({ exitCode: 64, stdout: '' });
    }
  });

  it.each([
    ['is missing', 'nowhere', /no folder/],
    ['is a file', 'A.md', /no folder/],
    ['is empty', 'empty', /no program is in it/],
    ['has no program', 'plain', /no program is in it/],
    ['cannot be an entry of PATH', 'a:b', /no colon/],
  ])('is refused where the folder %s, and nothing runs', async (_name, folder, says) => {
    const home = createStage();
    home.write('A.md', classic('A', 'touch "$HOME/ran"'));
    for (const name of ['empty', 'plain', 'plain/kubectl', 'a:b']) mkdirSync(path.join(home.folder, name));
    chmodSync(home.write('a:b/kubectl', '#!/bin/sh\n'), 0o755);
    home.write('plain/README', 'no program');
    const { exitCode, stderr } = await home.run(['execute', './A.md', '--stubs', folder]);
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(64);
    expect(existsSync(path.join(home.folder, 'ran'))).toBe(false);
    expect((await records(home))[0]).toMatchObject({ refusal: { code: 'usage' }, rehearsal: true });
  });
});
