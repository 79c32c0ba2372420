/** What a command costs before it does anything, and what it costs to run one `echo` with everything that belongs to it. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BIN, runbook, withHome } from './home.ts';
import { compare } from './measure.ts';
import type { Candidate } from './measure.ts';

const FLOOR = 'node -e 0';
const ZX = 'zx (echo)';
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
    // The same `echo`, without claims, record or containment, by the tool that runs shell blocks of markdown from Node.
    const zx = createRequire(import.meta.url).resolve('zx/cli');
    const block = home.write('zx.md', '# Echo\n\n```bash\necho hi\n```\n');
    const execute = ['execute', '-q', './Echo.md', '--token-file', token, '--history', 'file'];
    await compare(
      'Start',
      [
        { name: FLOOR, run: async () => await home.node(['-e', '0']) },
        cli('runbook --version', 1.5, '--version'),
        cli('runbook --help', 1.5, '--help'),
        cli('runbook list (100 runbooks)', 1.8, 'list', '--runbooks-dir', path.join(home.folder, 'runbooks')),
        { name: ZX, against: [[FLOOR]], run: async () => await home.node([zx, block]) },
        withZx(cli('runbook execute (echo, token, ledger, document)', 2.6, ...execute)),
      ],
      { rounds: 31, budgetMs: 60_000 },
    );
  });
}

function withZx(candidate: Candidate): Candidate {
  return { ...candidate, against: [...(candidate.against ?? []), [ZX, 0.6]] };
}
