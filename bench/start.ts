/** What a command costs before it does anything, and what it costs to run one `echo` with everything that belongs to it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { BIN, runbook, withHome } from './home.ts';
import { compare } from './measure.ts';

const FLOOR = 'node -e 0';
const CLAIMS = '# Required Claims\n```yaml\nroles: [sre]\n```\n\n';

export async function benchStart(): Promise<void> {
  await withHome(async (home) => {
    for (let n = 0; n < 100; n += 1) home.write(`runbooks/Number${n}.md`, runbook(`Number${n}`, `echo ${n}`));
    home.write('Echo.md', runbook('Echo', 'echo hi', CLAIMS));
    const minted = spawnSync(process.execPath, [BIN, 'token', 'mint', '--subject', 'bench', '--role', 'sre'], {
      env: home.env,
      cwd: home.folder,
    });
    const token = home.write('token', minted.stdout.toString());
    const cli = (name: string, target: number, ...args: readonly string[]) => ({
      name,
      against: [[FLOOR, target] as const],
      run: async () => {
        await home.node(['--', BIN, ...args]);
      },
    });
    const execute = ['execute', '-q', './Echo.md', '--token-file', token, '--history', 'file'];
    await compare(
      'Start',
      [
        { name: FLOOR, run: async () => await home.node(['-e', '0']) },
        cli('runbook --version', 1.5, '--version'),
        cli('runbook --help', 1.5, '--help'),
        cli('runbook list (100 runbooks)', 1.8, 'list', '--runbooks-dir', path.join(home.folder, 'runbooks')),
        cli('runbook execute (echo, token, ledger, document)', 2.6, ...execute),
      ],
      { rounds: 31, budgetMs: 40_000 },
    );
  });
}
