/** Scripts that want too much: what is limited ends, says so, and takes nobody with it; the rest is cleaned up. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classic } from '../helpers/cli.ts';
import { runOnce } from '../helpers/zoo/runs.ts';
import type { Ran } from '../helpers/zoo/runs.ts';
import { prepare } from '../helpers/zoo/surroundings.ts';
import type { Case } from '../helpers/zoo/surroundings.ts';
import { hasZoo } from '../helpers/zoo/zoo.ts';
import type { Cage } from '../helpers/zoo/zoo.ts';

const { zoo, cases, open, close } = await prepare(
  (user, rung) => user.uid === process.getuid?.() || rung === 'reaper in perl',
);
const figures: string[] = [];
beforeAll(open);
afterAll(async () => {
  await close();
  console.log(figures.join('\n'));
});

const limited = (limits: string, body: string): string =>
  classic('Run', body).replace('# Script', `# Limits\n\`\`\`yaml\n${limits}\n\`\`\`\n\n# Script`);
const run = async (
  one: Case,
  document: string | ((cage: Cage) => string),
  options: Parameters<typeof runOnce>[3] = {},
): Promise<Ran> => await runOnce(zoo, one, typeof document === 'string' ? () => document : document, options);

/** A hundred processes; how many there are when no more are born is said, and they are ended. */
const HUNDRED = `perl -e 'for (1 .. 100) { my $p = fork; if (!defined $p) { kill 9, @k; print "refused at $_\\n"; exit 43 }
if (!$p) { sleep 20; exit } push @k, $p } kill 9, @k; print "all were born\\n"'`;

const holders = (limit: 'memory' | 'processes'): readonly Case[] => cases.filter(({ rung }) => rung.limits.has(limit));

it.skipIf(!hasZoo)('are tried on every rung that is here (needs /proc, perl and bash)', () => {
  expect(cases.map(({ rung }) => rung.name)).toContain('reaper in perl');
});

describe('processes', () => {
  it.each(holders('processes'))('a fork bomb stays small and is ended ($name)', async (one) => {
    // Never without the limit in force: this shows that it is.
    const probe = await run(one, limited('processes: 64', HUNDRED));
    expect(probe).toMatchObject({ outcome: 'limit-exceeded', exitCode: 137 });
    expect(probe.reason).toMatch(/more processes than its limit/);
    expect(Number(/^refused at (\d+)$/m.exec(probe.stdout)?.[1])).toBeLessThanOrEqual(64);

    const lag = monitorEventLoopDelay({ resolution: 5 });
    lag.enable();
    const bomb = await run(one, limited('processes: 64', ':(){ :|:& };:\nsleep 30'), { args: ['--timeout', '3s'] });
    lag.disable();
    figures.push(`fork bomb, ${one.name}: ${bomb.tookMs} ms, others waited ${Math.round(lag.max / 1e6)} ms at most`);
    expect(bomb.survivors).toEqual([]);
    expect(['timed-out', 'limit-exceeded']).toContain(bomb.outcome);
  });

  it.each(cases.filter(({ rung }) => !rung.limits.has('processes')))(
    'a limit that cannot be held is told ($name)',
    async (one) => {
      const { outcome, stderr } = await run(one, limited('processes: 64', 'true'));
      expect(outcome).toBe('succeeded');
      expect(stderr).toMatch(/processes.*not/);
    },
  );
});

describe('memory', () => {
  it.each(holders('memory'))('who takes too much is ended ($name)', async (one) => {
    const hog = `perl -e '$all = "a" x (200 * 1024 * 1024); print length $all'`;
    const ran = await run(one, limited('memory: 64MiB', hog));
    expect(ran).toMatchObject({ outcome: 'limit-exceeded', exitCode: 137, stdout: '', survivors: [] });
    expect(ran.reason).toMatch(/more memory than its limit/);
    const fits = await run(one, limited('memory: 512MiB', hog));
    expect(fits).toMatchObject({ outcome: 'succeeded', stdout: String(200 * 1024 * 1024) });
  });
});

describe.each(cases.filter(({ rung }) => rung.holds))('files ($name)', (one) => {
  it('one that grows too large ends its writer', async () => {
    const body = 'head -c 5000000 /dev/zero > big; echo "head ended with $?"; stat -c %s big; exit 4';
    const ran = await run(one, classic('Run', body), { env: { RUNBOOK_MAX_FILE_SIZE: '1MiB' } });
    expect(ran).toMatchObject({ exitCode: 4, stdout: `head ended with 153\n${1024 ** 2}\n` });
  });

  it('open ones are counted', async () => {
    const leak = `perl -e 'for (1 .. 5000) { open($f[$_], "<", "/dev/null") or do { print "refused at $_\\n"; exit 5 } }'`;
    const ran = await run(one, classic('Run', leak), { env: { RUNBOOK_MAX_OPEN_FILES: '64' } });
    expect(ran.exitCode).toBe(5);
    expect(Number(/^refused at (\d+)$/m.exec(ran.stdout)?.[1])).toBeLessThanOrEqual(64);
  });
});

describe('the work folder', () => {
  // A plain user may not look into all of it, where there is one.
  it.each(cases.slice(-1))(
    'is removed with ten thousand files in it, and nothing outside of it ($name)',
    async (one) => {
      let left: readonly string[] = ['unknown'];
      let outside = '';
      const ran = await run(
        one,
        (cage) => {
          mkdirSync(path.join(cage.home, 'outside'));
          writeFileSync(path.join(cage.home, 'outside/file'), 'kept');
          return classic(
            'Run',
            `perl -e 'for (1 .. 10000) { open(my $f, ">", "f$_") or die }'\nln -s '${cage.home}/outside' link\nmkdir -p deep/er && touch deep/er/file && chmod 000 deep\nls | wc -l`,
          );
        },
        {
          after: (cage) => {
            left = readdirSync(path.join(cage.home, 'tmp'));
            outside = readFileSync(path.join(cage.home, 'outside/file'), 'utf8');
          },
        },
      );
      figures.push(`10,000 files, ${one.name}: ${ran.tookMs} ms`);
      expect(ran).toMatchObject({ outcome: 'succeeded', stdout: '10002\n' });
      expect(left).toEqual([]);
      expect(outside).toBe('kept');
    },
  );
});
