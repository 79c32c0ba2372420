/** A copy of a ledger in which a command has nothing to do stays a copy; a run of it is canceled and followed where it lives. */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { letGo, startRun, waitFor } from '../helpers/background.ts';
import type { Waiting } from '../helpers/background.ts';
import { classic, createHome } from '../helpers/cli.ts';
import type { CliResult, Home } from '../helpers/cli.ts';
import { violations } from '../helpers/schemas.ts';

const SLOW = `# Slow\n\n# Steps\n\n## Look\n\`\`\`bash\necho one\n\`\`\`\n\n## Work\n\`\`\`bash\n${waitFor('a')}\n\`\`\`\n`;

interface Copied {
  readonly home: Home;
  readonly run: Waiting;
  readonly copy: string;
  /** A command in the copy. */
  readonly there: (...args: readonly string[]) => Promise<CliResult>;
}

/** A run that is under way in the ledger, and so in its copy. */
async function copied(): Promise<Copied> {
  const home = createHome();
  const run = await startRun(home, SLOW, 'a');
  home.write('Task.md', classic('Task', 'echo out', { claims: 'roles: [sre]' }));
  const copy = path.join(home.folder, 'copy');
  cpSync(home.stateDir, copy, { recursive: true });
  return { home, run, copy, there: async (...args) => await home.run([...args, '--state-dir', copy]) };
}

const bytesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && !one.name.endsWith('-shm'))
    .map((one) => `${one.name} ${readFileSync(path.join(one.parentPath, one.name)).toString('base64')}`)
    .sort();

describe('a copy of a ledger', () => {
  it('stays one where nothing comes of a command, and is its own with the first change', async () => {
    const { home, run, copy, there } = await copied();
    for (const [args, exit] of [
      [['cancel', 'NOPE'], 66],
      [['execute', 'Nope'], 66],
      [['history', '--prune', '--older-than', '1d', '--yes'], 0],
      [['resume'], 0],
      [['pause', ' '], 64],
      [['doctor'], 0],
      [['plan', './Task.md'], 77],
    ] as const) {
      const { exitCode, stderr } = await there(...args);
      expect([args, exitCode, stderr.includes('one of its own from now on')]).toEqual([args, exit, false]);
      expect((await there('ps')).stderr).toContain(`This is a copy of the ledger of ${home.stateDir}`);
    }
    const { stdout } = await there('history');
    expect(stdout.match(/^2/gm)).toHaveLength(1);
    expect(stdout).toMatch(/ Slow +started /);
    // Who is refused hears why that is not on record.
    expect((await there('execute', 'Nope')).stderr).toContain(
      `The refusal could not be recorded: This is a copy of the ledger of ${home.stateDir}, and nothing was run in it yet.`,
    );

    home.write('Free.md', classic('Free', 'echo out'));
    // Whoever may not run what there is has tried, and that is kept.
    const first = await there('execute', './Task.md');
    expect(first.exitCode).toBe(77);
    expect(first.stderr).toMatch(
      new RegExp(`copied from \\S+ and is one of its own from now on\\. .*as interrupted: ${run.runId}\\.\\n`),
    );
    expect(first.stderr).not.toContain('could not be recorded');
    const second = await there('execute', './Free.md', '--history', 'ledger');
    expect(second).toMatchObject({ exitCode: 0, stdout: 'out\n' });
    expect((await there('history')).stdout.match(/^2.*/gm)?.map((line) => line.split(/ +/)[2])).toEqual([
      'succeeded',
      'refused:',
      'interrupted',
    ]);
    expect(await there('audit', 'verify')).toMatchObject({ exitCode: 0 });
    expect(existsSync(copy)).toBe(true);
    letGo(home, 'a');
    expect(await run.ended).toMatchObject({ exitCode: 0 });
  });

  it('does not cancel a run, which is that of another ledger: it says of which', async () => {
    const { home, run, copy, there } = await copied();
    const before = bytesOf(copy);
    const { exitCode, stderr } = await there('cancel', run.runId);
    expect(exitCode).toBe(66);
    expect(stderr).toBe(
      `runbook: error: Run ${run.runId} is not a run of this ledger, which is a copy of the one in ${home.stateDir}.\n` +
        `  fix: Cancel it there: \`runbook cancel ${run.runId} --state-dir ${home.stateDir}\`.\n`,
    );
    expect(bytesOf(copy)).toEqual(before);
    expect(existsSync(path.join(home.folder, 'at-a'))).toBe(true);
    letGo(home, 'a');
    expect(await run.ended).toMatchObject({ exitCode: 0 });
  });

  it('shows what it knows of a run to who follows that, and where it is followed', async () => {
    const { home, run, there } = await copied();
    for (const args of [[run.runId], []]) {
      const { exitCode, stdout, stderr } = await there('history', ...args, '--follow');
      expect({ exitCode, stdout }).toEqual({ exitCode: 74, stdout: 'one\n' });
      expect(stderr).toContain('── 2/2 Work\n');
      expect(stderr).toContain(
        `runbook: Run ${run.runId} had not ended when its ledger was copied; this copy will not hear of its end.\n` +
          `  see: runbook history ${run.runId} --follow --state-dir ${home.stateDir}\n`,
      );
    }
    const { stdout } = await there('history', run.runId, '--follow', '--json');
    expect(violations('history', JSON.parse(stdout))).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({ run: { state: 'started' }, output: { stdout: 'one\n' } });
    letGo(home, 'a');
    expect(await run.ended).toMatchObject({ exitCode: 0 });
  });

  it('is said to be one by an audit', async () => {
    const { home, run, there } = await copied();
    letGo(home, 'a');
    await run.ended;
    const { stdout } = await there('audit', 'verify');
    expect(stdout).toContain(`The record holds.\nThis is a copy of the ledger in ${home.stateDir}.\nrecords `);
    expect(JSON.parse((await there('audit', 'verify', '--json')).stdout)).toMatchObject({ copyOf: home.stateDir });
    const own = await home.json(['audit', 'verify']);
    expect(own).toMatchObject({ copyOf: null });
    expect(violations('audit', own)).toEqual([]);
    expect((await home.run(['audit', 'verify'])).stdout).not.toContain('copy');
    await home.run(['audit', 'copy', 'file.sqlite']);
    expect(await home.json(['audit', 'verify', '--ledger', 'file.sqlite'])).toMatchObject({ copyOf: home.stateDir });
  });
});
