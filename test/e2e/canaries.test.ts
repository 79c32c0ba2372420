/**
 * Nothing leaks: each scenario has secrets of its own, prints them in every way, and however the run ends, none of them is
 * in what was shown, kept or left behind. Where else they may go to is in canaries-sinks.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../helpers/cli.ts';
import { documentOf, leaking, REQUIREMENTS, reversed, setTrap } from '../helpers/leaking.ts';
import type { Traced, Trap } from '../helpers/leaking.ts';
import { requires } from '../helpers/requires.ts';

/** With the token, which a script has in its environment. */
const EVERYTHING = leaking('RUNBOOK_API_TOKEN RUNBOOK_HEADERS');
const TOOLS = ['rev', 'od', 'base64'].every((program) => requires(program));

/** It was all printed, so that what is found nowhere was masked; and there was something to look at. */
function expectSaid({ stdout, stderr, commands, environments }: Traced): void {
  for (const shown of [stdout, stderr]) {
    expect(shown).toContain('said TOLD\n');
    expect(shown).toContain('PLAIN_TOKEN ***\n');
  }
  expect([...commands].join('\n')).toContain('leak.cjs');
  expect([...environments].join()).toBe('');
}

async function history(trap: Trap): Promise<{ readonly shown: Traced; readonly outcome: string }> {
  const shown = await trap.run(['history', '--json']);
  const { runs } = JSON.parse(shown.stdout) as { runs: { state: string; result: { outcome: string } | null }[] };
  return { shown, outcome: runs[0]?.result?.outcome ?? runs[0]?.state ?? '' };
}

describe.skipIf(!TOOLS)('the search', () => {
  it('finds what is no secret in every sink, so that finding nothing says something', async () => {
    const trap = await setTrap();
    const open = REQUIREMENTS.replaceAll('secret: true', 'secret: false').replace(/MADE_SECRET:(\n .*)*\n/, '');
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING.replaceAll('MADE_SECRET', 'DB_URL') }], open));
    const run = await trap.execute('./Leak.md', ['--history', 'file']);
    const shown = await trap.run(['history', '--json']);
    const hits = trap.hits([run, shown]);
    const sees = (sink: string, name: string): boolean =>
      hits.some((hit) => hit.startsWith(sink) && hit.includes(`: ${name}: `));
    const names = ['PLAIN_TOKEN', 'SIGNS_PASSWORD', 'JSON_SECRET', 'PEM_KEY', 'UTF8_SECRET', 'LONG_SECRET'];
    const state = '~/.local/state/runbook';
    for (const sink of ['stdout', 'stderr', `${state}/output/`, `${state}/ledger`])
      expect(
        names.filter((name) => !sees(sink, name)),
        sink,
      ).toEqual([]);
    // Of much output, the document has the beginning and the end.
    expect(sees('~/Leak.md', 'PLAIN_TOKEN')).toBe(true);
    // What is a secret whatever the runbook says.
    expect(hits.filter((hit) => /: (?:DB_URL|TOLD|TOKEN|JWT_SECRET): /.test(hit))).toEqual([]);
  });
});

describe.skipIf(!TOOLS)('no canary is seen of a run that', () => {
  it.each(['auto', 'process-group'])('succeeds, in the containment %s', async (containment) => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }]));
    const env = { RUNBOOK_CONTAINMENT: containment };
    const run = await trap.execute('./Leak.md', ['--history', 'file'], { env });
    expectSaid(run);
    const reapers = containment === 'auto' && (requires('perl') || requires('python3')) ? 1 : 0;
    expect(run.environments.size).toBe(reapers);
    const { shown, outcome } = await history(trap);
    const { runs } = JSON.parse(shown.stdout) as { runs: { runId: string }[] };
    const one = await trap.run(['history', runs[0]?.runId ?? '']);
    expect(one.stdout).toContain('PLAIN_TOKEN ***');
    expect(one.stdout).toContain('DB_URL = postgres://app:***@db-1,db-2:5432/shop');
    expect([run.exitCode, outcome]).toEqual([0, 'succeeded']);
    expect(readFileSync(path.join(trap.home.folder, 'Leak.md'), 'utf8')).toContain('PLAIN_TOKEN ***');
    expect(trap.hits([run, shown, one])).toEqual([]);
  });

  it.each([
    ['fails', 'exit 3', 3, 'failed'],
    ['is ended by a signal', 'kill -SEGV $$', 139, 'failed'],
  ])('%s, also for a machine', async (_how, last, exitCode, outcome) => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: `${EVERYTHING}\n${last}` }]));
    const run = await trap.execute('./Leak.md', ['--history', 'file', '--json']);
    expect(run.exitCode).toBe(exitCode);
    expect(run.stdout).toContain('said TOLD');
    const { shown, outcome: told } = await history(trap);
    expect(told).toBe(outcome);
    expect(trap.hits([run, shown])).toEqual([]);
  });

  it.each([
    ['takes too long', 124, 'timed-out'],
    ['is ended by SIGTERM', 143, 'canceled'],
  ])('%s in the middle of a secret', async (_how, exitCode, outcome) => {
    const trap = await setTrap();
    const begins = 'printf %s "${PLAIN_TOKEN:0:20}"; echo waiting >&2; sleep 60';
    const keys = outcome === 'timed-out' ? 'timeout: 3s' : '';
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }, { keys, script: begins }]));
    const kill = outcome === 'canceled' ? { kill: { when: /waiting/, signal: 'SIGTERM' as const } } : {};
    const run = await trap.execute('./Leak.md', ['--history', 'file', '--keep-workdir', 'never'], kill);
    expectSaid(run);
    expect(run.stdout).toMatch(/all is said\n\*\*\*$/);
    const { shown, outcome: told } = await history(trap);
    expect([run.exitCode, told]).toEqual([exitCode, outcome]);
    expect(trap.hits([run, shown])).toEqual([]);
  });

  it('loses its runner in the middle of its output, and nothing of what was told stays once somebody has looked', async () => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }]));
    const run = await trap.execute('./Leak.md', [], { kill: { when: /said UTF8_SECRET/, signal: 'SIGKILL' } });
    expect(run.exitCode).toBeNull();
    expect(run.stdout).toContain('PLAIN_TOKEN ***\n');
    const { shown, outcome } = await history(trap);
    // Whoever looks at it has cleared away what was told, which lay beside the work folder.
    expect(outcome).toBe('interrupted');
    expect(trap.hits([run, shown])).toEqual([]);
  });

  it('cannot be started, because the variables together are too large', async () => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }]));
    trap.home.write('large', trap.canaries.LONG_SECRET.repeat(13));
    const large = Array.from({ length: 30 }, (_, index) => ['--env', `LARGE_TOKEN_${index}=@large`]).flat();
    const run = await trap.execute('./Leak.md', large);
    expect(run.stderr).toContain('larger than the system takes (E2BIG)');
    expect(existsSync(path.join(trap.home.folder, 'made.reversed'))).toBe(false);
    const { shown, outcome } = await history(trap);
    expect([run.exitCode, outcome]).toEqual([69, 'spawn-failed']);
    expect(trap.hits([run, shown])).toEqual([]);
  });

  it('cannot start its second script', async () => {
    const trap = await setTrap();
    const steps = [{ script: `${EVERYTHING}\nrm -r "$PWD"` }, { script: 'true' }];
    trap.home.write('Leak.md', documentOf('Leak', steps));
    const run = await trap.execute('./Leak.md', ['--history', 'file']);
    expect(run.stderr).toContain('The work folder is gone');
    const { shown, outcome } = await history(trap);
    expect([run.exitCode, outcome]).toEqual([69, 'spawn-failed']);
    expect(trap.hits([run, shown])).toEqual([]);
  });

  it('ends while another process holds the ledger', async () => {
    const trap = await setTrap();
    const driver = JSON.stringify(path.join(REPOSITORY, 'node_modules/better-sqlite3'));
    trap.home.write(
      'lock.cjs',
      `const fs = require('fs');
while (!fs.existsSync('lock')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
const db = new (require(${driver}))(process.argv[2]); db.exec('BEGIN IMMEDIATE'); fs.writeFileSync('locked', '');
setTimeout(() => { db.exec('ROLLBACK'); db.close(); }, 6000);`,
    );
    const hold = `${EVERYTHING}\ntouch "$HOME/lock"; until [ -e "$HOME/locked" ]; do sleep 0.05; done; exit 3`;
    trap.home.write('Leak.md', documentOf('Leak', [{ script: hold }]));
    const ledger = path.join(trap.home.stateDir, 'ledger.sqlite');
    // Not a child of the script: that would end with it.
    const locker = execa(process.execPath, ['lock.cjs', ledger], {
      cwd: trap.home.folder,
      reject: false,
      timeout: 60_000,
    });
    const run = await trap.execute('./Leak.md');
    await locker;
    expectSaid(run);
    expect(run.stderr).toContain('waiting for the ledger');
    const { shown, outcome } = await history(trap);
    expect([run.exitCode, outcome]).toEqual([3, 'failed']);
    expect(trap.hits([run, shown])).toEqual([]);
  });

  it('has no room for its output', async () => {
    const trap = await setTrap();
    const much = `head -c 700000 /dev/zero | tr '\\0' x; echo\n${EVERYTHING}`;
    trap.home.write('Leak.md', documentOf('Leak', [{ script: much }]));
    // As on a full disk: no file may have more than 400 KiB.
    const run = await trap.execute('./Leak.md', ['--history', 'file'], {
      through: `trap '' XFSZ; ulimit -f 400; exec "$@"`,
    });
    expectSaid(run);
    expect(run.stderr).toContain('EFBIG');
    expect(trap.hits([run, (await history(trap)).shown])).toEqual([]);
  });
});

describe.skipIf(!TOOLS)('no canary is seen of a request that is refused', () => {
  const CLAIMS = '# Required Claims\n```yaml\nroles: admin\n```\n';

  it('for a missing variable, a wrong one, one with a control character', async () => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }]));
    const strict = REQUIREMENTS.replaceAll('secret: true\nS', 'secret: true\n  pattern: "[0-9]+"\nS');
    trap.home.write('Strict.md', documentOf('Strict', [{ script: EVERYTHING }], strict));
    trap.home.write('bad', `${trap.canaries.SIGNS_PASSWORD}\u0001`);
    const runs = [
      await trap.run(['execute', './Leak.md', '--no-input']),
      await trap.execute('./Strict.md'),
      await trap.execute('./Leak.md', ['--env', 'SIGNS_PASSWORD=@bad', '--json']),
    ];
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([78, 78, 78]);
    expect(runs[0]?.stderr).toContain('not set: PEM_KEY');
    expect(runs[1]?.stderr).toContain('PLAIN_TOKEN does not match the pattern');
    expect(runs[2]?.stdout).toContain('SIGNS_PASSWORD holds a control character');
    expect(trap.hits([...runs, (await history(trap)).shown])).toEqual([]);
  });

  it('for claims, with its entry in the document', async () => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }], REQUIREMENTS + CLAIMS));
    const run = await trap.execute('./Leak.md', ['--history', 'file']);
    expect(run.exitCode).toBe(77);
    expect(readFileSync(path.join(trap.home.folder, 'Leak.md'), 'utf8')).toContain('RBAC Failure');
    expect(trap.hits([run, (await history(trap)).shown])).toEqual([]);
  });

  it('for its token, wherever that comes from', async () => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }], REQUIREMENTS + CLAIMS));
    const forged = `${trap.token.split('.').slice(0, 2).join('.')}.${reversed(trap.token.split('.')[2] ?? '')}`;
    const garbage = reversed(trap.canaries.PLAIN_TOKEN);
    const runs: Traced[] = [];
    for (const token of [forged, garbage, `${trap.token}=`]) {
      trap.home.write('token', token);
      runs.push(await trap.execute('./Leak.md'));
      runs.push(await trap.run(['execute', './Leak.md'], { env: { RUNBOOK_TOKEN: token } }));
      runs.push(await trap.run(['execute', './Leak.md', '--json'], { env: { RUNBOOK_API_TOKEN: token } }));
    }
    expect(runs.map(({ exitCode }) => exitCode)).toEqual(runs.map(() => 77));
    expect(trap.hits([...runs, (await history(trap)).shown], { forged, garbage })).toEqual([]);
  });

  it('for its options and files', async () => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }]));
    trap.home.write('lines', `PLAIN_TOKEN=${trap.canaries.PLAIN_TOKEN}\n${trap.canaries.SIGNS_PASSWORD}\n`);
    const env = { RUNBOOK_TOKEN: trap.token };
    const runs = [
      await trap.run(['execute', './Leak.md', '--nonsense'], { env }),
      await trap.execute('./Leak.md', ['--timeout', 'soon']),
      await trap.execute('./Leak.md', ['--env-file', 'lines']),
      await trap.execute('./Leak.md', ['--env', 'LD_PRELOAD=@key.pem']),
      await trap.execute('./Missing.md'),
      await trap.execute('./Leak.md', [], { env: { NODE_DEBUG: 'stream,child_process' } }),
    ];
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([64, 64, 64, 64, 66, 78]);
    expect(existsSync(path.join(trap.home.folder, 'made.reversed'))).toBe(false);
    expect(trap.hits([...runs, (await history(trap)).shown])).toEqual([]);
  });
});
