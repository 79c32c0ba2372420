/** `--verbose` and `--quiet`: more and less on stderr, and nothing else on stdout. */
import { expect, test } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import { SECRET } from '../helpers/json-calls.ts';

test('says where everything is and comes from, how a run was held, and how long it took', async () => {
  const home = createHome();
  home.write('Task.md', classic('Task', 'echo out'));
  home.write('.runbook.yaml', 'timeout: 5m\n');
  const env = { RUNBOOK_JWT_SECRET: SECRET, RUNBOOK_MAX_OUTPUT: '2MiB' };
  const { stdout, stderr, exitCode } = await home.run(['execute', './Task.md', '-v', '--history', 'ledger'], { env });
  expect({ stdout, exitCode }).toEqual({ stdout: 'out\n', exitCode: 0 });
  expect(stderr).toContain(`ledger: ${home.stateDir}\n`);
  expect(stderr).toMatch(/^setting: timeout = 5m \(.*\.runbook\.yaml:1 timeout\)$/m);
  expect(stderr).toMatch(/^setting: max_output = 2MiB \(RUNBOOK_MAX_OUTPUT\)$/m);
  expect(stderr).toMatch(/^setting: history = ledger \(--history\)$/m);
  expect(stderr).toMatch(/^setting: jwt_secret = \(secret\) \(RUNBOOK_JWT_SECRET\)$/m);
  expect(stderr).not.toContain(SECRET);
  expect(stderr).toMatch(/^containment: (?:cgroup|reaper|process-group).*, (?:proven|best effort)$/m);
  expect(stderr).toMatch(/^time: Script \d+m?s$/m);
  expect(stderr).toMatch(/^time: \d+m?s in all$/m);
});

test.each([['list'], ['show', './Task.md'], ['config'], ['history'], ['ps'], ['validate', './Task.md']])(
  '%s prints the same with it, and nothing but errors with --quiet',
  async (...args) => {
    const home = createHome();
    home.write('Task.md', classic('Task', 'true'));
    const all = [...args, '--runbooks-dir', '.', '--state-dir', 'state'];
    home.write('.runbook.yaml', 'timeout: 5m\n');
    await home.run(['execute', './Task.md', '--state-dir', 'state', '--history', 'ledger']);
    const plain = await home.run(all);
    const verbose = await home.run([...all, '--verbose']);
    expect(verbose.stdout.replaceAll(/\d+s ago/g, '')).toBe(plain.stdout.replaceAll(/\d+s ago/g, ''));
    expect(verbose.stderr).toMatch(/^setting: timeout = 5m/m);
    expect((await home.run([...all, '-q', '-v'])).stderr).toBe('');
  },
);
