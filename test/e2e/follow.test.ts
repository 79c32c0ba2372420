/** `runbook history --follow`: a run as it goes on, from another terminal; its exit code is that of the run. */
import { describe, expect, it } from 'vitest';
import type { StoredRun } from '../../src/core/run.ts';
import { letGo, start, startRun, waitFor } from '../helpers/background.ts';
import { classic, createHome } from '../helpers/cli.ts';
import { inShell } from '../helpers/shell.ts';

const step = (name: string, script: string): string => `## ${name}\n\`\`\`bash\n${script}\n\`\`\`\n\n`;
const steps = (...parts: readonly string[]): string => `# Slow\n\n# Steps\n\n${parts.join('')}`;

describe('who follows a run', () => {
  it('sees what it prints while it goes on, where it printed it, the steps, and how it ends', async () => {
    const home = createHome();
    const run = await startRun(
      home,
      steps(
        step('Look', `echo one; ${waitFor('a')}\necho two >&2`),
        step('Quiet', waitFor('b')),
        step('Work', `${waitFor('c')}\necho three; exit 7`),
      ),
      'a',
    );
    const watch = start(home, ['history', run.runId.toLowerCase(), '--follow']);
    await watch.until('stdout', /^one\n$/);
    letGo(home, 'a');
    await watch.until('stderr', /two\n/);
    // It prints nothing, and is told all the same.
    expect(await watch.until('stderr', /2\/3 Quiet\n/)).toMatch(/1\/3 Look\n[^]*two\n[^]*2\/3 Quiet\n$/);
    letGo(home, 'b', 'c');
    const { exitCode, stdout, stderr } = await watch.ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: 'one\nthree\n' });
    expect(stderr).toBe(
      `following run ${run.runId} (Slow); Ctrl-C ends that, not the run\n── 1/3 Look\ntwo\n── 2/3 Quiet\n── 3/3 Work\n` +
        `runbook: failed, exit 7: “Work” ended with exit code 7.\n  see: runbook history ${run.runId}\n`,
    );
    expect(await run.ended).toMatchObject({ exitCode: 7 });
  });

  it('of a run that has ended, sees all of it at once, silent steps in their place', async () => {
    const home = createHome();
    home.write(
      'Slow.md',
      steps(step('Look', 'echo one'), step('Quiet', ':'), step('Work', 'echo two'), step('End', ':')),
    );
    await home.run(['execute', './Slow.md', '--history', 'ledger']);
    const { exitCode, stdout, stderr } = await home.run(['history', 'last', '-f']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'one\ntwo\n' });
    expect(stderr).toMatch(
      /has ended\n── 1\/4 Look\n── 2\/4 Quiet\n── 3\/4 Work\n── 4\/4 End\nrun \S+ succeeded in \S+\n$/,
    );
    expect(await home.run(['history', 'last', '-f', '-q'])).toEqual({ exitCode: 0, stdout: 'one\ntwo\n', stderr: '' });
  });

  it('without naming one, follows the newest that is under way; where there is none, is told so', async () => {
    const home = createHome();
    const nothing = await home.run(['history', '--follow']);
    expect(nothing.exitCode).toBe(66);
    expect(nothing.stderr).toMatch(/Nothing runs\.\n {2}fix: .*history last --follow/);
    const run = await startRun(home, classic('Slow', `echo one; ${waitFor('a')}`), 'a');
    home.write('Done.md', classic('Done', 'true'));
    await home.run(['execute', './Done.md', '--history', 'ledger']);
    const watch = start(home, ['history', '--follow']);
    await watch.until('stdout', /one/);
    letGo(home, 'a');
    const { exitCode, stderr } = await watch.ended;
    expect({ exitCode }).toEqual({ exitCode: 0 });
    expect(stderr).toContain(`run ${run.runId} succeeded`);
  });

  it('ends that with Ctrl-C, and not the run', async () => {
    const home = createHome();
    const run = await startRun(home, classic('Slow', `echo one; ${waitFor('a')}\necho two`), 'a');
    const watch = start(home, ['history', 'last', '--follow']);
    await watch.until('stdout', /one/);
    process.kill(watch.pid, 'SIGINT');
    const { exitCode, stderr } = await watch.ended;
    expect({ exitCode }).toEqual({ exitCode: 130 });
    expect(stderr).toContain(`not following any more; \`runbook ps\` shows run ${run.runId}`);
    letGo(home, 'a');
    expect(await run.ended).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n' });
  });

  it('and reads no further, ends that, and not the run', async () => {
    const home = createHome();
    const run = await startRun(home, classic('Slow', `seq 100000; ${waitFor('a')}\nseq 100000`), 'a');
    const { stdout } = await inShell(home, `runbook history last --follow -q | head -n 2; echo "\${PIPESTATUS[0]}"`);
    expect(stdout).toBe('1\n2\n141');
    letGo(home, 'a');
    expect(await run.ended).toMatchObject({ exitCode: 0 });
  });

  it('is told where the beginning that is kept is full, and gets the end of the rest', async () => {
    const home = createHome();
    const more = 'while [ ! -e "$HOME/go-b" ]; do echo "more"; sleep 0.1; done; echo the end';
    const document = classic('Slow', `head -c 600 /dev/zero | tr '\\0' x; ${waitFor('a')}\n${more}`);
    const run = await startRun(home, document, 'a', [], { RUNBOOK_MAX_OUTPUT: '1KiB' });
    const watch = start(home, ['history', 'last', '--follow']);
    await watch.until('stdout', /^x{512}$/);
    letGo(home, 'a');
    await watch.until('stderr', /more is printed than is kept of its beginning/);
    letGo(home, 'b');
    const { exitCode, stdout, stderr } = await watch.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^x{512}[^]*the end\n$/);
    const { result } = ((await home.json(['history', run.runId])) as unknown as { run: StoredRun }).run;
    const dropped = result?.output.dropped ?? 0;
    expect(stdout).toHaveLength((result?.output.bytes ?? 0) - dropped);
    if (dropped > 0) expect(stderr).toContain(`… ${dropped} bytes were not kept …`);
  });

  it('of a run whose runner is killed, is told that nobody knows how it ended', async () => {
    const home = createHome();
    const run = await startRun(home, steps(step('Look', 'echo one'), step('Work', waitFor('a'))), 'a');
    const watch = start(home, ['history', 'last', '--follow']);
    await watch.until('stdout', /one/);
    process.kill(run.pid, 'SIGKILL');
    const { exitCode, stdout, stderr } = await watch.ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 74, stdout: 'one\n' });
    expect(stderr).toContain('runbook: Interrupted at “Work” (step 2 of 2).');
    expect(stderr.match(/Interrupted/g)).toHaveLength(1);
  });

  it('of a run whose runner was killed before, is told that once', async () => {
    const home = createHome();
    const run = await startRun(home, steps(step('Look', 'echo one'), step('Work', waitFor('a'))), 'a');
    process.kill(run.pid, 'SIGKILL');
    await run.ended;
    const { exitCode, stderr } = await home.run(['history', run.runId, '--follow']);
    expect(exitCode).toBe(74);
    expect(stderr.match(/Interrupted/g)).toHaveLength(1);
  });

  it('of a run that was refused, is told why', async () => {
    const home = createHome();
    home.write('Task.md', classic('Task', 'true', { claims: 'roles: [sre]' }));
    await home.run(['execute', './Task.md']);
    const { exitCode, stdout, stderr } = await home.run(['history', 'last', '--follow']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 77, stdout: '' });
    expect(stderr).toContain('runbook: refused: Task needs roles = sre');
  });

  it('has a terminal that no output can write on', async () => {
    const home = createHome();
    home.write(
      'Slow.md',
      steps(step('Look', `printf '\\033[2Jone\\r\\n\\302'; printf '\\233two\\n' >&2; printf '\\251\\n'`)),
    );
    await home.run(['execute', './Slow.md', '--history', 'ledger']);
    const { stdout, stderr } = await home.run(['history', 'last', '--follow', '-q']);
    expect({ stdout, stderr }).toEqual({ stdout: '\\u{1b}[2Jone\n©\n', stderr: '\uFFFDtwo\n' });
  });

  it('with --json gets the record when the run has ended, and the output on stderr until then', async () => {
    const home = createHome();
    const run = await startRun(home, classic('Slow', `echo one; ${waitFor('a')}`), 'a');
    const watch = start(home, ['history', 'last', '--follow', '--json', '-q']);
    await watch.until('stderr', /^one\n$/);
    letGo(home, 'a');
    const { exitCode, stdout } = await watch.ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(await home.json(['history', run.runId]));
  });

  it.each(['--artifact', '--runbook'])('cannot give %s at the same time', async (option) => {
    const home = createHome();
    const { exitCode, stderr } = await home.run(['history', '--follow', option, 'a']);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(`${option} and --follow are both given.`);
  });
});
