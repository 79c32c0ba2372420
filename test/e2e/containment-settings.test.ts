/** What an operator, or whoever starts a run, can ask of the containment; and what the record says of it. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

const withLimits = (limits: string, script = 'echo ran'): string =>
  classic('Task', script).replace('# Script', `# Limits\n\`\`\`yaml\n${limits}\n\`\`\`\n\n# Script`);

function homeWith(document: string): Home {
  const home = createHome();
  home.write('Task.md', document);
  return home;
}

const TASK = ['execute', './Task.md', '--history', 'ledger'];

describe('a rung', () => {
  it('that is chosen is in the record, with the reason why it is no higher one', async () => {
    const home = homeWith(classic('Task', 'true'));
    await home.run(TASK, { env: { RUNBOOK_CONTAINMENT: 'process-group' } });
    const { runs } = await home.json(['history']);
    expect(runs).toMatchObject([
      {
        containment: {
          rung: 'process-group',
          reaper: null,
          cgroups: [],
          refused: [expect.stringContaining('`containment`')],
        },
        result: { containment: { claim: 'best effort', reason: expect.stringContaining('group') } },
      },
    ]);
    expect((await home.run(['history', '--runbook', 'Task'])).exitCode).toBe(0);
  });

  it('that is required and not there refuses the run, and nothing is started', async () => {
    const home = homeWith(classic('Task', 'touch "$HOME/ran"'));
    const { exitCode, stderr } = await home.run(TASK, {
      env: { RUNBOOK_CONTAINMENT: 'process-group', REQUIRE_CONTAINMENT: 'reaper' },
    });
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/containment `reaper` is required, and this machine gives `process-group`/);
    expect(stderr).toMatch(/fix: .*runbook doctor/);
    expect((await home.json(['history']))['runs']).toMatchObject([{ result: { outcome: 'spawn-failed', steps: [] } }]);
  });

  it.each(['cgroup2', 'none', 'yes'])('%s is no containment to require', async (value) => {
    const home = homeWith(classic('Task', 'true'));
    const { exitCode, stderr } = await home.run(TASK, { env: { REQUIRE_CONTAINMENT: value } });
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/REQUIRE_CONTAINMENT: .* is not one of cgroup, reaper, process-group/);
  });
});

describe('a limit that cannot be held', () => {
  const env = { RUNBOOK_CONTAINMENT: 'reaper' };

  it('is told, and the run goes on', async () => {
    const home = homeWith(withLimits('memory: 1GiB\nprocesses: 100'));
    const { exitCode, stdout, stderr } = await home.run(TASK, { env });
    expect([exitCode, stdout]).toEqual([0, 'ran\n']);
    expect(stderr).toMatch(/limits `memory` and `processes` cannot be held here/);
  });

  it('refuses the run with --strict, and its folder is gone', async () => {
    const home = homeWith(withLimits('memory: 1GiB'));
    const folder = path.join(home.folder, 'exec');
    mkdirSync(folder);
    const { exitCode, stdout, stderr } = await home.run([...TASK, '--strict', '--execution-dir', folder], { env });
    expect([exitCode, stdout]).toEqual([69, '']);
    expect(stderr).toMatch(/limit `memory` cannot be held here/);
    expect((await home.run(['validate', './Task.md'])).exitCode).toBe(0);
  });

  it('may be the operator’s', async () => {
    const home = homeWith(classic('Task', 'ulimit -n; head -c 20000 /dev/zero > big'));
    const { exitCode, stdout } = await home.run(TASK, {
      env: { ...env, MAX_OPEN_FILES: '99', MAX_FILE_SIZE: '10KiB' },
    });
    expect([exitCode, stdout]).toEqual([153, '99\n']);
  });

  it('of time may be given in seconds, as the name says', async () => {
    const home = homeWith(classic('Task', 'trap "" TERM; sleep 30'));
    const { exitCode, stderr } = await home.run(TASK, {
      env: { MAX_TIMEOUT_SECONDS: '1', STOP_GRACE_SECONDS: '1' },
    });
    expect(exitCode).toBe(124);
    expect(stderr).toMatch(/limit of 1s/);
  });
});
