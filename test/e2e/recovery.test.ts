/** A runner that is killed, canceled, or taken for dead; and a document that cannot be written when its run ends. */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { RunLedger } from '../../src/core/ports.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { classic, createHome, KILL_RUNNER } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';
import { isAlive } from '../helpers/executor.ts';
import { runIdOf, sha256, timeOf } from '../helpers/records.ts';

/** Its second step kills the runner, unless there is a file `mild`. */
const STEPS = `# Go

# Steps

## One
\`\`\`yaml
outputs: PLACE, NEW_TOKEN
\`\`\`
\`\`\`bash
echo one > file
printf 'PLACE=here\\nNEW_TOKEN=tok-5f2e91c0\\n' >> "$RUNBOOK_OUTPUT"
\`\`\`

## Two
\`\`\`bash
echo "two \${PLACE-unset} $(cat file)"
[ -e "$HOME/mild" ] && exit
setsid sleep 300 & echo $! > "$HOME/pid"
${KILL_RUNNER}
sleep 300
\`\`\`

# History
`;

const runsOf = async (home: Home): Promise<readonly StoredRun[]> =>
  (JSON.parse((await home.run(['history', '--json'])).stdout) as { runs: readonly StoredRun[] }).runs;

describe('a runner that is killed', () => {
  it('is recorded as interrupted by whoever comes next, and can be gone on from', async () => {
    const home = createHome();
    const file = home.write('Go.md', STEPS);
    expect((await home.run(['execute', '-q', './Go.md'])).exitCode).toBeUndefined();

    const first = await home.run(['history', '--json']);
    expect(first.stderr).toMatch(
      /^runbook: warning: Run \w{26} of Go: Interrupted at “Two” \(step 2 of 2\)\. Its process \(\d+ on .*\) is gone\. How it ended is not known\.\n$/,
    );
    const { runs }: { readonly runs: readonly StoredRun[] } = JSON.parse(first.stdout);
    const [run] = runs;
    expect(run).toMatchObject({ state: 'interrupted', interruption: { survivors: [], progress: { name: 'Two' } } });
    expect(isAlive(path.join(home.folder, 'pid'))).toBe(false);
    expect(run?.containment?.cgroups.filter((one) => existsSync(one))).toEqual([]);
    const work = run?.interruption?.workFolder ?? '';
    expect(readdirSync(path.dirname(work)).sort()).toEqual(['kept.json', 'work']);
    expect(readFileSync(path.join(work, '../kept.json'), 'utf8')).toBe('[["PLACE","here"]]');

    const { stdout, stderr } = await home.run(['history', run?.runId ?? '']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^outcome +Interrupted at “Two” \(step 2 of 2\)\. Its process .* It was noticed at \d{4}-/m);
    expect(stdout).toMatch(new RegExp(`^kept +${work}$`, 'm'));
    expect(stdout).toMatch(
      /^step +One: succeeded, \S+\nstep +“Two” \(step 2 of 2\): begun at \d{4}-\S+Z, how it ended is not known$/m,
    );
    const digest = sha256(Buffer.from('two here one\n'));
    expect(stdout).toMatch(new RegExp(`^output +13 bytes lay there, sha256 ${digest}$`, 'm'));
    expect(run?.interruption).toMatchObject({
      progress: { number: 2, of: 2 },
      steps: [{ name: 'One', outcome: 'succeeded' }],
      output: { bytes: 13, digest },
    });
    expect((await home.run(['history', '--format', 'csv'])).stdout).toContain(',"One: succeeded; Two: interrupted",');
    expect((await home.run(['history', 'last', '--format', 'markdown'])).stdout).toMatch(
      /\n\| 1 \| `One` \| succeeded \| \S+ \| .* \|\n\| 2 \| `Two` \| interrupted \| – \| `how it ended is not known` \|\n/,
    );
    expect(stdout).not.toContain('not ended');
    expect(stdout).toMatch(/^go on +runbook execute Go --from Two, with the same variables/m);
    expect(stdout).not.toContain('pending');
    expect(readFileSync(file, 'utf8').match(/^### .* \| Exit Code: .*$/gm)).toEqual([
      `### ${run?.interruption?.at} | Exit Code: -1`,
    ]);

    home.write('mild', '');
    const again = await home.run(['execute', './Go.md', '--from', 'Two']);
    expect(again).toMatchObject({ exitCode: 0, stdout: 'two here one\n' });
    expect(again.stderr).toContain(`goes on from run ${run?.runId} (interrupted)`);
    expect(again.stderr).toContain('was interrupted at “Two” (step 2 of 2), and nobody knows how much');
    expect(again.stderr).toContain('NEW_TOKEN of “One” is not known');
    expect(again.stderr).not.toContain('still under way');
    expect(existsSync(work)).toBe(false);
    expect((await home.run(['history', run?.runId ?? ''])).stdout).not.toMatch(/^kept /m);
  });

  it('is recorded before the next run, which goes its way all the same', async () => {
    const home = createHome();
    home.write('Go.md', STEPS);
    home.write('Other.md', classic('Other', 'echo other'));
    await home.run(['execute', '-q', './Go.md']);
    const next = await home.run(['execute', '-q', './Other.md', '--json']);
    expect(next.exitCode).toBe(0);
    expect(JSON.parse(next.stdout)).toMatchObject({ result: { outcome: 'succeeded' } });
    expect(next.stderr).toContain('of Go: Interrupted at “Two”');
    expect((await runsOf(home)).map(({ state }) => state)).toEqual(['finished', 'interrupted']);
  });
});

describe('the output of a run whose runner was killed', () => {
  const audit = async (home: Home) => await home.run(['audit', 'verify', '--outputs']);

  it('is told where it was changed, or is gone', async () => {
    const home = createHome();
    home.write('Go.md', STEPS);
    await home.run(['execute', '-q', './Go.md', '--history', 'ledger']);
    const [run] = await runsOf(home);
    const file = path.join(home.stateDir, 'output', run?.runId ?? '');
    expect((await home.json(['history', 'last']))['output']).toMatchObject({ intact: true });
    expect(await audit(home)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 compared') as string });

    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, -5));
    expect((await home.run(['history', 'last'])).stdout).toMatch(/^warning +The output that is kept does not fit/m);
    expect((await home.json(['history', 'last']))['output']).toMatchObject({ intact: false });
    for (const more of [
      ['--format', 'markdown'],
      ['last', '--format', 'markdown'],
    ])
      expect((await home.run(['history', ...more])).stdout).toContain('does not fit its digest');
    expect(await audit(home)).toMatchObject({
      exitCode: 65,
      stdout: expect.stringContaining(`- The output of run ${run?.runId} does not fit its digest`) as string,
    });

    rmSync(file);
    expect((await home.run(['history', 'last'])).stdout).toMatch(
      /^warning +The output is not there, and was not removed by age or size/m,
    );
    expect((await home.run(['history', '--grep', 'two here'])).stderr).toContain('not kept any more');
  });
});

describe('a run whose work folder is not to be kept', () => {
  it('leaves none when its runner is killed', async () => {
    const home = createHome();
    home.write('Go.md', STEPS);
    await home.run(['execute', '-q', './Go.md', '--keep-workdir', 'never']);
    const [run] = await runsOf(home);
    expect(run).toMatchObject({ state: 'interrupted', keepWorkFolder: 'never', interruption: { workFolder: null } });
    expect(readdirSync(path.join(home.folder, '.tmp')).filter((name) => name.startsWith('runbook-'))).toEqual([]);
  });
});

describe('a run that somebody else ends', () => {
  /** Begins a run, does `act` to it in the ledger, and waits for its end. */
  async function disturbed(
    home: Home,
    act: (ledger: RunLedger, runId: string) => Promise<unknown>,
  ): Promise<CliResult> {
    home.write('Wait.md', classic('Wait', 'touch "$HOME/begun"; sleep 300'));
    const run = home.run(['execute', '-q', './Wait.md']);
    while (!existsSync(path.join(home.folder, 'begun'))) await delay(20);
    const ledger = openSqliteLedger(path.join(home.stateDir, 'ledger.sqlite'));
    try {
      const [one] = await ledger.underWay();
      await act(ledger, one?.run.runId ?? '');
    } finally {
      ledger.close();
    }
    return await run;
  }

  it('stops at a request to cancel, and the record says whose', async () => {
    const home = createHome();
    const { exitCode, stderr } = await disturbed(home, async (ledger, runId) => {
      await ledger.requestCancel(runId, {
        schemaVersion: 1,
        operationId: runIdOf(1),
        operation: 'cancel',
        at: timeOf(1),
        who: { osUser: 'anna', host: 'ops-2' },
        toolVersion: '0.1.0',
        reason: 'wrong cluster',
        run: runId,
      });
    });
    expect(exitCode).toBe(143);
    expect(stderr).toContain('Canceled by anna@ops-2: wrong cluster.');
    const [run] = await runsOf(home);
    const reason = 'Canceled by anna@ops-2: wrong cluster.';
    expect(run?.result).toMatchObject({ outcome: 'canceled', signal: 'SIGTERM', reason });
  });

  it('stops when it was recorded as interrupted, and does not say otherwise', async () => {
    const home = createHome();
    const { exitCode, stderr } = await disturbed(home, async (ledger, runId) => {
      const interruption = { progress: null, survivors: [], workFolder: null, reason: 'It was silent.' };
      await ledger.interrupt(runId, { at: new Date().toISOString(), ...interruption });
    });
    expect(exitCode).toBe(74);
    expect(stderr).toContain('taken for dead and recorded as interrupted, so it was ended.');
    expect(stderr).toContain('counts as interrupted');
    expect((await runsOf(home)).map(({ state, result }) => [state, result])).toEqual([['interrupted', null]]);
    const document = readFileSync(path.join(home.folder, 'Wait.md'), 'utf8');
    expect(document.match(/^### .* \| Exit Code: .*$/gm)).toHaveLength(1);
    expect(document).toContain('Interrupted before its first step. It was silent.');
  });
});

describe('an entry whose document could not be written', () => {
  it('is told as pending, and is written by whoever comes when it can be', async () => {
    const home = createHome();
    const file = path.join(home.folder, 'Gone.md');
    const text = classic('Gone', `mv "${file}" "${file}.away"; mkdir "${file}"; echo said`);
    home.write('Gone.md', text);
    const { stderr } = await home.run(['execute', '-q', './Gone.md']);
    expect(stderr).toContain('The entry follows when the document can be written.');
    const [run] = await runsOf(home);
    const { stdout } = await home.run(['history', run?.runId ?? '']);
    expect(stdout).toMatch(/^entry +pending: /m);
    expect(await home.json(['history', run?.runId ?? ''])).toMatchObject({ entryPending: true });

    rmdirSync(file);
    home.write('Gone.md', text);
    expect(await home.json(['history', run?.runId ?? ''])).toMatchObject({ entryPending: false });
    const document = readFileSync(file, 'utf8');
    expect(document.match(/^### .* \| Exit Code: .*$/gm)).toEqual([`### ${run?.result?.finishedAt} | Exit Code: 0`]);
    expect(document).toContain('**Stdout:**\n```\nsaid\n');
  });

  it('keeps its run from being taken out while the document is there in some form, and no longer', async () => {
    const home = createHome();
    const file = path.join(home.folder, 'Gone.md');
    home.write('Gone.md', classic('Gone', `mv "${file}" "${file}.away"; mkdir "${file}"; echo said`));
    await home.run(['execute', '-q', './Gone.md']);
    const prune = ['history', '--prune', '--older-than', '1s', '--yes'];
    await delay(1000);
    expect((await home.run(prune)).stderr).toContain('there is nothing to take out');
    rmdirSync(file);
    expect((await home.run(prune)).stdout).toBe('Taken out: 1 run, 3 records, 1 document.\n');
    expect((await home.run(['audit', 'list'])).stdout).toContain('; 1 without an entry, since the document is gone');
    expect((await home.run(['audit', 'verify'])).exitCode).toBe(0);
  });
});
