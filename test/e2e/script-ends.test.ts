/** How a script ended is told as it was, whatever holds its processes; and nobody waits for who holds its output open. */
import { chmodSync, copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { classic } from '../helpers/cli.ts';
import { createLanes } from '../helpers/lanes.ts';
import { times } from '../helpers/property.ts';
import { runOnce } from '../helpers/zoo/runs.ts';
import { prepare } from '../helpers/zoo/surroundings.ts';
import { hasZoo } from '../helpers/zoo/zoo.ts';
import type { Cage } from '../helpers/zoo/zoo.ts';

const { zoo, cases, open, close } = await prepare((user) => user.uid === process.getuid?.());
const inLane = createLanes(4);
const figures: string[] = [];
// They wait for a lane, many at once.
vi.setConfig({ testTimeout: 600_000 });
beforeAll(open);
afterAll(async () => {
  await close();
  console.log(['from the start of the runner to its end', ...figures].join('\n'));
});

/** What would be waited for in vain; far above what any machine needs to end a run. */
const ENDLESS_S = 60;

const script = (body: string) => (): string => classic('Run', body);
/** Replaces the shell that the script of a run would find. */
function replaceShell(cage: Cage, put: (shell: string) => void): void {
  const shell = path.join(cage.folder, 'bin/bash');
  rmSync(shell);
  put(shell);
  chmodSync(shell, 0o755);
}

it.skipIf(!hasZoo)('is told on every rung that is here (needs /proc, perl and bash)', () => {
  expect(cases.map(({ rung }) => rung.name)).toContain('reaper in perl');
});

describe.concurrent.each(cases)('$name', ({ user, rung, name }) => {
  const run = async (
    ...[document, options]: Parameters<typeof runOnce> extends [unknown, unknown, ...infer Rest] ? Rest : never
  ) => await inLane(async () => await runOnce(zoo, { user, rung }, document, options));

  it.each([
    ['exit 0', 0, 'succeeded'],
    ['exit 7', 7, 'failed'],
    ['kill -TERM $$; sleep 5', 143, 'failed'],
    ['kill -KILL $$; sleep 5', 137, 'failed'],
    ['kill -SEGV $$; sleep 5', 139, 'failed'],
    ["trap 'exit 3' TERM; kill -TERM $$; sleep 5", 3, 'failed'],
    ['no-such-program-anywhere', 127, 'failed'],
    ['exec /dev/null', 126, 'failed'],
  ])('%s ends with %i, %s', async (body, exitCode, outcome) => {
    const claim = rung.holds ? 'proven' : 'best effort';
    expect(await run(script(body))).toMatchObject({ exitCode, outcome, claim, survivors: [] });
  });

  it('an interpreter that cannot be started is told apart from a script that fails', async () => {
    const ran = await run((cage) => {
      replaceShell(cage, (shell) => {
        writeFileSync(shell, '#!/nowhere/sh\n');
      });
      return classic('Run', 'exit 127');
    });
    expect(ran).toMatchObject({ exitCode: 69, outcome: 'spawn-failed' });
    expect(ran.reason).toMatch(/could not be started \(ENOENT\)/);
  });

  it('a stop on request lets a script clean up', async () => {
    const ran = await run(
      (cage) =>
        classic('Run', `trap 'echo cleaned; exit 3' TERM; : > '${cage.said('set')}'; while :; do sleep 0.1; done`),
      {
        env: { RUNBOOK_STOP_GRACE: '60s' },
        during: async (cage, signal) => {
          while (!existsSync(cage.said('set'))) await delay(10);
          signal('SIGTERM');
        },
      },
    );
    expect(ran).toMatchObject({ exitCode: 143, outcome: 'canceled', stdout: 'cleaned\n', survivors: [] });
  });

  it('scripts that end at once are noticed, every one', async () => {
    const STEPS = 100;
    const count = times(100, 1200) / STEPS;
    const truth = execaSync('/bin/sh', ['-c', 'command -v /bin/true']).stdout;
    const steps = Array.from({ length: STEPS }, (_, step) => `## Step ${step + 1}\n\`\`\`bash\nfalse\n\`\`\`\n`).join(
      '\n',
    );
    const runs = await Promise.all(
      Array.from(
        { length: count },
        async () =>
          await run((cage) => {
            // It does not even read its script.
            replaceShell(cage, (shell) => {
              copyFileSync(truth, shell);
            });
            return `# Run\n\n# Steps\n\n${steps}`;
          }),
      ),
    );
    for (const { exitCode, steps: outcomes, stderr } of runs) {
      expect(exitCode, stderr).toBe(0);
      expect(outcomes).toEqual(Array.from({ length: STEPS }, () => 'succeeded'));
    }
    figures.push(`${name}: ${STEPS} steps of /bin/true in ${runs.map(({ tookMs }) => `${tookMs} ms`).join(', ')}`);
  });

  it.each([
    ['a child that holds the pipe', `sleep ${ENDLESS_S} & sleep ${ENDLESS_S}`],
    ['a script that closes its output early', `exec 1>&- 2>&-; sleep ${ENDLESS_S}`],
    ['a daemon that holds the output', `(setsid sleep ${ENDLESS_S} &) ; sleep ${ENDLESS_S}`],
  ])('the time limit ends %s', async (what, body) => {
    const ran = await run(script(`echo begun\n${body}`), { args: ['--timeout', '3s'] });
    figures.push(`${name}: ${what}, limit 3 s: ${ran.tookMs} ms`);
    expect(ran).toMatchObject({ exitCode: 124, outcome: 'timed-out', stdout: 'begun\n', survivors: [] });
  });

  it('a daemon that holds the output does not hold the run of a script that has ended', async () => {
    const ran = await run((cage) =>
      classic('Run', `${cage.start('pipe')} & while [ ! -e '${cage.said('pipe')}' ]; do sleep 0.05; done; echo done`),
    );
    figures.push(`${name}: a daemon stays behind: ${ran.tookMs} ms`);
    expect(ran).toMatchObject({ exitCode: 0, outcome: 'succeeded', stdout: 'done\n', survivors: [] });
    expect(ran.stderr).toMatch(/left processes behind.*pipe/);
  });
});
