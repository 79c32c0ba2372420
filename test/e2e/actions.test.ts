/** A run in a job of GitHub Actions, read as its runner reads it; and in one of GitLab. */
import { readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { runStep } from '../helpers/runner.ts';
import { ESC } from '../helpers/screen.ts';

const HOSTILE = [
  'echo "::set-env name=PWNED::1"; echo "::set-env name=PWNED::1" >&2',
  'echo "##[set-env name=PWNED]1"; printf "x\\r::set-env name=PWNED::1\\n"',
  'echo "::stop-commands::mine"; echo "::mine::"; echo "::set-env name=PWNED::1"',
  'echo "  ::add-path::/evil"; printf "no end ::error::x" >&2; printf "::save-state name=x::1"',
].join('\n');
const TWO = (first: string, second: string): string =>
  `# Two\n\n# Steps\n\n## First, it says: 50%\n\`\`\`bash\n${first}\n\`\`\`\n\n## Second\n\`\`\`bash\n${second}\n\`\`\`\n`;
const names = (commands: readonly { readonly command: string }[]): readonly string[] =>
  commands.map(({ command }) => command).filter((name) => name !== 'add-mask');
const summary = (home: Home): string => readFileSync(path.join(home.folder, 'summary.md'), 'utf8');

describe('in a job of GitHub Actions', () => {
  it('no script issues a command, whichever stream and form; ours are read, and those of the job behind us', async () => {
    const home = createHome();
    home.write('Two.md', TWO(HOSTILE, `${HOSTILE}\nexit 3`));
    const step = 'printf "begun " >&2; runbook execute ./Two.md || echo "::notice::after $?"';
    const { commands, isReading, log, raw } = await runStep(home, step);
    expect(names(commands), raw).toEqual(['group', 'endgroup', 'group', 'endgroup', 'error', 'notice']);
    expect(commands[0]?.message).toBe('1/2 First, it says: 50%');
    const error = commands.find(({ command }) => command === 'error');
    expect(error).toMatchObject({
      properties: { file: 'Two.md', line: '13', title: 'runbook: failed' },
      message: '“Second” ended with exit code 3.',
    });
    expect(commands.at(-1)?.message).toBe('after 3');
    expect(isReading).toBe(true);
    expect(log.filter((line) => line === '::set-env name=PWNED::1').length).toBeGreaterThan(5);
    expect(log.join('\n')).toMatch(/The last \d+ lines of its output:[^]*runbook: failed/);
    const tokens = [...raw.matchAll(/^::stop-commands::(\w+)$/gm)]
      .map(([, token]) => token)
      .filter((one) => one !== 'mine');
    expect(tokens.every((token) => /^[0-9a-f]{32}$/.test(token ?? ''))).toBe(true);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it.each([
    ['into a file', 'runbook execute ./Clean.md 2>err >out', 'out'],
    ['by $(…)', 'x=$(runbook execute -q ./Clean.md); printf "%s\\n" "$x" >out', 'out'],
    [
      'from a script of the job by $(…)',
      'x=$(bash -ec "runbook execute -q ./Clean.md; true"); printf "%s\\n" "$x" >out',
      'out',
    ],
  ])('stdout stays what the script printed where it is taken %s', async (_name, step, file) => {
    const home = createHome();
    home.write('Clean.md', classic('Clean', 'echo "::set-env name=PWNED::1"; echo two'));
    const { exitCode, isReading } = await runStep(home, step);
    expect(exitCode).toBe(0);
    expect(isReading).toBe(true);
    expect(readFileSync(path.join(home.folder, file), 'utf8')).toBe('::set-env name=PWNED::1\ntwo\n');
  });

  it('the runner is told every secret, line by line, before anything shows it; a file or a pipe between is told none', async () => {
    const home = createHome();
    const [first, second] = ['first-line-of-key', '100%:second,line'];
    const env = { DB_PASSWORD: `${first}\n${second}`, PIN_SECRET: '12', RUNBOOK_TOKEN: '' };
    home.write(
      'Secrets.md',
      classic('Secrets', 'echo "told-while-running" >>"$RUNBOOK_MASK"; sleep 0.2; echo told-while-running; true', {
        env: 'DB_PASSWORD: the key\nPIN_SECRET: short',
      }),
    );
    const { commands, log, exitCode, raw } = await runStep(
      home,
      'runbook execute ./Secrets.md; echo "$DB_PASSWORD"',
      env,
    );
    expect(exitCode, raw).toBe(0);
    const masks = commands.filter(({ command }) => command === 'add-mask').map(({ message }) => message);
    expect(masks).toEqual(expect.arrayContaining([`${first}\n${second}`, first, second, 'told-while-running']));
    expect(masks).not.toContain('12');
    expect(log.join('\n')).not.toMatch(/first-line|second,line|told-while/);
    for (const step of ['runbook execute ./Secrets.md 2>&1 | tee copy', 'runbook execute ./Secrets.md >copy 2>&1']) {
      await runStep(home, step, env);
      const copy = readFileSync(path.join(home.folder, 'copy'), 'utf8');
      expect(copy).toContain('stop-commands');
      expect(copy).not.toMatch(/add-mask|first-line|second,line|told-while/);
    }
  });

  it('the page of the job gets a table and the last lines, which cannot break out; and nothing of the secrets', async () => {
    const home = createHome();
    home.write('summary.md', 'before\n');
    home.write(
      'Two.md',
      TWO('true', 'echo "~~~ \\`\\`\\`\\` <img src=x> $API_TOKEN"; echo "| a | [b](c) @anna"; exit 1'),
    );
    const env = { GITHUB_STEP_SUMMARY: path.join(home.folder, 'summary.md'), API_TOKEN: 'canary-of-a-token' };
    await runStep(home, 'runbook execute ./Two.md --pass-env API_TOKEN', env);
    const page = summary(home);
    expect(page).toMatch(/^before\n### Runbook `Two\.md`: failed\n/);
    expect(page).toContain('| 1 | `First, it says: 50%` | succeeded |');
    expect(page).toMatch(/\| 2 \| `Second` \| failed \| [^|]+ \| 10 \|/);
    expect(page).toContain('`````text\n~~~ ```` <img src=x> ***\n| a | [b](c) @anna\n`````\n');
    expect(page).not.toContain('canary');
  });

  it.each([
    ['it is full', (home: Home) => truncateSync(path.join(home.folder, 'summary.md'), 1024 ** 2), /it is full/],
    ['nothing is there', (home: Home) => home.write('none', ''), /ENOENT/],
  ])('a page that cannot be written since %s is a warning', async (name, spoil, says) => {
    const home = createHome();
    home.write('summary.md', '');
    home.write('Good.md', classic('Good', 'true'));
    spoil(home);
    const file = path.join(home.folder, name === 'nothing is there' ? 'no/summary.md' : 'summary.md');
    const { exitCode, log } = await runStep(home, 'runbook execute ./Good.md', { GITHUB_STEP_SUMMARY: file });
    expect(exitCode).toBe(0);
    expect(log.join('\n')).toMatch(says);
  });

  it('of a page that is nearly full the rest is used, and no more', async () => {
    const home = createHome();
    home.write('summary.md', Buffer.alloc(1024 ** 2 - 300, 'x'));
    home.write('Two.md', TWO('true', 'seq -w 1000000 1000400; exit 1'));
    await runStep(home, 'runbook execute ./Two.md', { GITHUB_STEP_SUMMARY: path.join(home.folder, 'summary.md') });
    expect(summary(home)).toMatch(/x### Runbook `Two\.md`: failed/);
    expect(summary(home).length).toBeLessThanOrEqual(1024 ** 2);
  });

  it('a refusal is an error on the line of the document, and no text of the document is a command', async () => {
    const home = createHome();
    home.write('summary.md', '');
    home.write('Needs.md', classic('Needs', 'true', { env: 'WHERE: "the ##[set-env name=PWNED]1 place"\nOTHER: x' }));
    const { commands, exitCode, raw } = await runStep(home, 'runbook execute ./Needs.md', {
      GITHUB_STEP_SUMMARY: path.join(home.folder, 'summary.md'),
    });
    expect(exitCode).toBe(78);
    expect(names(commands), raw).toEqual(['error', 'error']);
    expect(commands[0]).toMatchObject({
      properties: { file: 'Needs.md', line: '7', title: 'runbook: variable-missing' },
    });
    expect(summary(home)).toContain('### Runbook `./Needs.md`: requirements-unmet');
    const usage = await runStep(home, 'runbook execute ./Nowhere.md');
    expect(usage.commands).toMatchObject([{ command: 'error', properties: { title: 'runbook: not-found' } }]);
  });
});

describe('in a job of GitLab', () => {
  it('each step is a section, and stdout is clean', async () => {
    const home = createHome();
    home.write('Two.md', TWO('echo one', 'echo two'));
    const run = await home.run(['execute', './Two.md'], { env: { CI: 'true', GITLAB_CI: 'true' } });
    expect(run.stdout).toBe('one\ntwo\n');
    const sections = [...run.stderr.replaceAll(ESC, '^').matchAll(/\^\[0Ksection_(start|end):\d+:(\w+)\r\^\[0K/g)];
    expect(sections.map(([, kind, name]) => `${kind} ${name}`)).toEqual([
      'start runbook_step_1',
      'end runbook_step_1',
      'start runbook_step_2',
      'end runbook_step_2',
    ]);
  });
});
