/** What an operator, or whoever starts a run, can ask of the containment; and what the record says of it. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { BIN, classic, cleanEnvironment, createHome } from '../helpers/cli.ts';
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

describe('a script', () => {
  it('inherits neither descriptors nor core files of whoever started the runner', async () => {
    const home = homeWith(classic('Task', 'ulimit -c; exec ls /proc/self/fd'));
    const node = `'${process.execPath}' -- '${BIN}' execute ./Task.md --history ledger -q`;
    const { stdout } = await execa('/bin/bash', ['-c', `ulimit -c unlimited; exec 200</dev/null; exec ${node}`], {
      cwd: home.folder,
      env: cleanEnvironment(home.folder),
      extendEnv: false,
    });
    // The last is the folder itself.
    expect(stdout.split('\n')).toEqual(['0', '0', '1', '2', '3']);
  });
});

describe('a run within a run', () => {
  it('is ended with it, and no control group of either is left', async () => {
    const home = homeWith(
      classic(
        'Task',
        `RUNBOOK_STOP_GRACE=60s "${process.execPath}" -- "${BIN}" execute "$HOME/Child.md" --history ledger || true`,
      ),
    );
    home.write(
      'Child.md',
      classic('Child', 'trap "" TERM; setsid sleep 300 & echo $! > "$HOME/pid"; while :; do sleep 1; done'),
    );
    const { exitCode } = await home.run(TASK, { env: { RUNBOOK_STOP_GRACE: '1s' }, termAt: 'pid' });
    expect(exitCode).toBe(143);
    const pid = readFileSync(path.join(home.folder, 'pid'), 'utf8').trim();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    const { runs } = await home.json(['history']);
    const groups = (runs as readonly StoredRun[]).flatMap((run) => run.containment?.cgroups ?? []);
    expect(groups.filter((folder) => existsSync(folder))).toEqual([]);
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
