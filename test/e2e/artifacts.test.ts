/** Files that a runbook declares as its outputs: kept with the run, and found again. */
import { appendFileSync, globSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { classic, createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';

async function runWith(
  script: string,
  outputs: string,
  ...options: readonly string[]
): Promise<[Home, CliResult, StoredRun]> {
  const home = createHome();
  home.write('Task.md', classic('Task', script, { inputs: `Output:\n${outputs}` }));
  const result = await home.run(['execute', './Task.md', '--history', 'ledger', ...options], {
    env: { REPORT_TOKEN: 'canary-of-a-report' },
  });
  const { runs }: { runs: readonly [StoredRun] } = JSON.parse((await home.run(['history', '--json'])).stdout);
  return [home, result, runs[0]];
}

describe('declared outputs', () => {
  it('are kept, text is masked, and each is printed as it was kept', async () => {
    const [home, { exitCode }, run] = await runWith(
      'mkdir -p logs; echo "for $REPORT_TOKEN" > report.txt; printf "\\0\\1\\377" > logs/raw; echo a > logs/a.txt',
      '- report.txt\n- logs',
      '--pass-env',
      'REPORT_TOKEN',
    );
    expect(exitCode).toBe(0);
    expect(run.result?.artifacts).toMatchObject([
      { path: 'report.txt', bytes: 8, masked: true, kept: true, reason: null },
      { path: 'logs/a.txt', bytes: 2, masked: true, kept: true },
      { path: 'logs/raw', bytes: 3, masked: false, kept: true },
    ]);
    const text = await home.run(['history', run.runId, '--artifact', 'report.txt']);
    expect([text.stdout, text.stderr]).toEqual(['for ***\n', '']);
    const kept = globSync(path.join(home.stateDir, 'artifacts', '**', 'report.txt'))[0] ?? '';
    appendFileSync(kept, 'more\n');
    const altered = await home.run(['history', run.runId, '--artifact', 'report.txt']);
    expect([altered.stdout, altered.stderr]).toEqual([
      'for ***\nmore\n',
      expect.stringContaining('does not fit its digest'),
    ]);
    expect((await home.run(['history', run.runId])).stdout).toMatch(/artifact +report\.txt, 8 bytes/);
    const absent = await home.run(['history', run.runId, '--artifact', '../../ledger.sqlite']);
    expect([absent.exitCode, absent.stderr]).toEqual([
      66,
      expect.stringMatching(/It kept report\.txt, logs\/a\.txt, logs\/raw/),
    ]);
  });

  it('that are not written, or are links, are told; the run has still succeeded', async () => {
    const [, { exitCode, stderr }, run] = await runWith('ln -s /etc/passwd link', '- absent.txt\n- link');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('warning: 2 outputs are not kept: absent.txt (it was not written), link (it is a link');
    expect(run.result?.artifacts.map(({ kept }) => kept)).toEqual([false, false]);
  });

  it('that are many are told in one line', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `out-${index}.txt`);
    const [, { stderr }, run] = await runWith('true', names.map((name) => `- ${name}`).join('\n'));
    expect(stderr.match(/not kept/g)).toHaveLength(1);
    expect(stderr).toContain('out-2.txt (it was not written), 6 more, which the record names.');
    expect(run.result?.artifacts).toHaveLength(9);
  });

  it('of steps that did not run are not missed, but for the record', async () => {
    const home = createHome();
    const files = '# File System Requirements\n```yaml\nOutput:\n- one.txt\n- two.txt\n```\n\n';
    const step = (name: string, script: string): string => `## ${name}\n\`\`\`bash\n${script}\n\`\`\`\n\n`;
    const steps = (first: string): string =>
      `# Task\n\n${files}# Steps\n\n${step('One', first)}${step('Two', 'touch two.txt')}`;
    home.write('Task.md', steps('exit 3'));
    const failed = await home.run(['execute', './Task.md', '--history', 'ledger']);
    expect(failed.stderr).not.toContain('not kept');
    const { runs }: { runs: readonly [StoredRun] } = JSON.parse((await home.run(['history', '--json'])).stdout);
    expect(runs[0].result?.artifacts).toMatchObject([{ reason: 'it was not written' }, { kept: false }]);
    // What is there and cannot be kept is told all the same.
    home.write('Task.md', steps('ln -s /etc/passwd one.txt; exit 3'));
    const linked = await home.run(['execute', './Task.md', '--history', 'ledger']);
    expect(linked.stderr).toMatch(/The output one\.txt is not kept, because it is a link/);
    expect(linked.stderr).not.toContain('two.txt');
    home.write('Task.md', steps('true'));
    const whole = await home.run(['execute', './Task.md', '--history', 'ledger']);
    expect(whole.stderr).toContain('The output one.txt is not kept, because it was not written.');
    const alone = await home.run(['execute', './Task.md', '--history', 'ledger', '--only', 'Two']);
    expect(alone).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('not kept') as string });
  });

  it('of a script that fails are kept as well', async () => {
    const [, { exitCode }, run] = await runWith('echo half > report.txt; exit 3', '- report.txt');
    expect(exitCode).toBe(3);
    expect(run.result?.artifacts).toMatchObject([{ path: 'report.txt', kept: true }]);
  });

  it('need a run to be printed', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'x'));
    expect((await home.run(['history', '--artifact', 'a'])).exitCode).toBe(64);
  });
});
