/** As canaries.test.ts: what else a run may put a secret into, and what else may be asked about it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { documentOf, leaking, REQUIREMENTS, reversed, searched, setTrap } from '../helpers/leaking.ts';
import type { Trap } from '../helpers/leaking.ts';
import { requires } from '../helpers/requires.ts';
import { inTerminal } from '../helpers/terminal.ts';

const EVERYTHING = leaking();
const TOOLS = ['rev', 'od', 'base64'].every((program) => requires(program));
const LEAK = `"${process.execPath}" "$HOME/leak.cjs"`;
/** Secrets that only the script knows: of another one, backwards. */
const NEW = `NEW=$(printf %s "$PLAIN_TOKEN" | rev); export NEW`;
const newOf = (trap: Trap): Readonly<Record<string, string>> => ({ NEW: reversed(trap.canaries.PLAIN_TOKEN) });

afterAll(() => {
  console.log(`searched ${searched.sinks} sinks of ${Math.round(searched.bytes / 1024)} KiB`);
});

describe.skipIf(!TOOLS)('no canary is seen of', () => {
  it('a run without a record, and what is passed on without a declaration', async () => {
    const trap = await setTrap();
    const given = {
      PASSED_TOKEN: reversed(trap.canaries.PLAIN_TOKEN),
      GIVEN_TOKEN: reversed(trap.canaries.LONG_SECRET),
    };
    trap.home.write('Leak.md', documentOf('Leak', [{ script: leaking(Object.keys(given).join(' ')) }]));
    const args = ['--history', 'none', '--pass-env', 'PASSED_*', '--env', 'GIVEN_TOKEN'];
    const run = await trap.execute('./Leak.md', args, { env: given });
    expect(run.stdout).toContain('GIVEN_TOKEN ***\n');
    expect(trap.hits([run], given)).toEqual([]);
  });

  it('what is said of a run: names that a script has made up', async () => {
    const trap = await setTrap();
    const name = `S_${trap.canaries.PLAIN_TOKEN.slice(0, 13)}`;
    const script = `cp "$(command -v sleep)" "./$NAME_TOKEN"; "./$NAME_TOKEN" 60 > /dev/null 2>&1 &
until [ "$(< /proc/$!/comm)" = "$NAME_TOKEN" ]; do sleep 0.02; done
echo "$NAME_TOKEN=1" >> "$RUNBOOK_OUTPUT"`;
    trap.home.write('Leak.md', documentOf('Leak', [{ keys: 'outputs: OTHER', script }]));
    const env = { NAME_TOKEN: name };
    const run = await trap.execute('./Leak.md', ['--env', 'NAME_TOKEN', '--history', 'file', '--json'], { env });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('left processes behind, which were ended with it: ***');
    expect(run.stderr).toContain('*** was written to $RUNBOOK_OUTPUT, but the step does not declare it');
    const shown = await trap.run(['history', '--json']);
    // Its command line is the script's own.
    expect(trap.hits([{ stdout: run.stdout, stderr: run.stderr }, shown], env)).toEqual([]);
  });

  it('outputs of steps: printed at once, passed on, and kept beside the work folder', async () => {
    const trap = await setTrap();
    const first = `${NEW}
LOGIN=$(printf %s "\${LONG_SECRET:0:24}" | rev); ADDRESS="mongodb://app:$LOGIN@a:1,b:2/db"; export ADDRESS
printf 'NEW_TOKEN=%s\\nADDRESS=%s\\nPLACE=%s\\nPLAIN=open-value\\n' "$NEW" "$ADDRESS" "at $PLAIN_TOKEN" >> "$RUNBOOK_OUTPUT"
${LEAK} NEW ADDRESS`;
    const second = `${LEAK} NEW_TOKEN ADDRESS PLACE; echo "$PLAIN"; exit 3`;
    const steps = [{ keys: 'outputs: NEW_TOKEN, ADDRESS, PLACE, PLAIN', script: first }, { script: second }];
    trap.home.write('Leak.md', documentOf('Leak', steps));
    const run = await trap.execute('./Leak.md', ['--history', 'file']);
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toContain('NEW ***\n');
    expect(run.stdout).toContain('NEW_TOKEN ***\n');
    const more = { ...newOf(trap), LOGIN: reversed(trap.canaries.LONG_SECRET.slice(0, 24)) };
    const kept = path.dirname(/is kept: (\S+)/.exec(run.stderr)?.[1] ?? '');
    expect(JSON.parse(readFileSync(path.join(kept, 'kept.json'), 'utf8'))).toEqual([['PLAIN', 'open-value']]);
    const again = await trap.execute('./Leak.md', ['--from', '2', '--env', 'MADE_SECRET=@key.pem']);
    expect(again.stderr).toMatch(/NEW_TOKEN of .*, ADDRESS of .*, PLACE of .* are not known/);
    expect(trap.hits([run, again, await trap.run(['history', '--json'])], more)).toEqual([]);
  });

  it('a check behind a step, and what it tells', async () => {
    const trap = await setTrap();
    const check = `${NEW}\nprintf %s "$NEW" >> "$RUNBOOK_MASK"\n${LEAK} NEW PLAIN_TOKEN PEM_KEY\nexit 1`;
    const rest = `\n### Done when\n\`\`\`bash\n${check}\n\`\`\`\n`;
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING, rest }]));
    const run = await trap.execute('./Leak.md', ['--history', 'file']);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('NEW ***\n');
    expect(trap.hits([run, await trap.run(['history', '--json'])], newOf(trap))).toEqual([]);
  });

  it('a rehearsal', async () => {
    const trap = await setTrap();
    const stubs = path.join(trap.home.folder, 'stubs');
    mkdirSync(stubs);
    writeFileSync(path.join(stubs, 'kubectl'), '#!/bin/sh\nenv\n', { mode: 0o755 });
    trap.home.write('Leak.md', documentOf('Leak', [{ script: `kubectl get all\n${EVERYTHING}` }]));
    const run = await trap.execute('./Leak.md', ['--stubs', stubs], { env: { RUNBOOK_TOKEN: trap.token } });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('PLAIN_TOKEN=***\n');
    expect(trap.hits([run, await trap.run(['history', '--json'])])).toEqual([]);
  });

  it('declared outputs that are text; others are kept as they are', async () => {
    const trap = await setTrap();
    // Not by commands, which would have the names among their arguments.
    trap.home.write(
      'names.cjs',
      `const fs = require('fs'); const token = process.env.PLAIN_TOKEN;
fs.mkdirSync('out/' + token); fs.writeFileSync('out/' + token + '/x.txt', 'x');
fs.writeFileSync('out/of-' + token + '.txt', 'x'); fs.symlinkSync('x', 'out/link-' + token);`,
    );
    const write = `mkdir out
${EVERYTHING} > out/said.txt 2>&1
"${process.execPath}" "$HOME/names.cjs"
printf '\\0%s' "$PLAIN_TOKEN" > other.bin`;
    const files = '# File System Requirements\n```yaml\nOutput: [out, other.bin, none.txt]\n```\n';
    trap.home.write('Leak.md', documentOf('Leak', [{ script: write }], REQUIREMENTS + files));
    const run = await trap.execute('./Leak.md', ['--history', 'file']);
    expect(run.stderr).toContain('out/of-***.txt (a secret is in its name)');
    const shown = await trap.run(['history', '--json']);
    const { runs } = JSON.parse(shown.stdout) as {
      runs: { result: { artifacts: { path: string; kept: boolean }[] } }[];
    };
    const kept = runs[0]?.result.artifacts.filter((artifact) => artifact.kept).map((artifact) => artifact.path);
    expect(kept).toEqual(['out/said.txt', 'other.bin']);
    const hits = trap.hits([run, shown]);
    const binary = hits.filter((hit) => /\/artifacts\/\w+\/other\.bin: PLAIN_TOKEN: /.test(hit));
    expect(binary).toHaveLength(1);
    expect(hits.filter((hit) => !binary.includes(hit))).toEqual([]);
  });

  it('a runbook that another calls: its own output, and all of it in that of the other', async () => {
    const trap = await setTrap();
    trap.home.write('Child.md', documentOf('Child', [{ script: EVERYTHING }]));
    const names = ['PLAIN_TOKEN', 'SIGNS_PASSWORD', 'JSON_SECRET', 'PEM_KEY', 'UTF8_SECRET', 'LONG_SECRET', 'DB_URL'];
    const call = `cd "$HOME"; "${process.execPath}" -- "${BIN}" execute ./Child.md --history file`;
    trap.home.write('Parent.md', documentOf('Parent', [{ script: `${EVERYTHING}\n${call}` }]));
    const run = await trap.run(['execute', './Parent.md', '--env', 'PEM_KEY=@key.pem', '--history', 'file']);
    expect(run.exitCode).toBe(0);
    expect(run.stdout.match(/said TOLD\n/g)).toHaveLength(2);
    expect(names.filter((name) => !run.stdout.includes(`said ${name}\n`))).toEqual([]);
    const shown = await trap.run(['history', '--json']);
    expect((JSON.parse(shown.stdout) as { runs: unknown[] }).runs).toHaveLength(2);
    expect(trap.hits([run, shown])).toEqual([]);
  });

  it('commands that run nothing', async () => {
    const trap = await setTrap();
    trap.home.write('Leak.md', documentOf('Leak', [{ script: EVERYTHING }]));
    const env = { RUNBOOK_TOKEN: trap.token };
    const commands = [
      ['doctor'],
      ['doctor', '--json'],
      ['plan', './Leak.md', '--env', 'PEM_KEY=@key.pem'],
      ['plan', './Leak.md', '--env', 'PEM_KEY=@key.pem', '--json'],
      ['config'],
      ['config', '--json'],
      ['validate', '--ready', './Leak.md'],
      ['validate', '--ready', '--json', './Leak.md'],
      ['show', './Leak.md'],
      ['list', '--json'],
    ];
    const runs = [];
    for (const command of commands) runs.push(await trap.run(command, { env }));
    expect(runs.map(({ stdout, stderr }) => (stdout + stderr).length > 20)).toEqual(commands.map(() => true));
    expect(runs[commands.findIndex(([word]) => word === 'config')]?.stdout).toContain('(secret)');
    expect(trap.hits(runs)).toEqual([]);
  });
});

describe.skipIf(!TOOLS || !requires('script', '--version'))('no canary is seen at a terminal of', () => {
  it('a step that has it', async () => {
    const trap = await setTrap();
    const script = `${NEW}\n${EVERYTHING}\nprintf '\\n%s' "$NEW" >> "$RUNBOOK_MASK"\n${LEAK} NEW`;
    trap.home.write('Leak.md', documentOf('Leak', [{ keys: 'tty: true', script }]));
    const args = ['execute', './Leak.md', '--env', 'PEM_KEY=@key.pem', '--token-file', 'token', '--history', 'file'];
    const { screen, exitCode } = await inTerminal(trap.home.folder, args, [], trap.environment);
    expect(exitCode).toBe(0);
    // What is read after script(1) has put the terminal back gets a second carriage return.
    expect(screen).toMatch(/NEW \*\*\*\r+\n/);
    expect(screen).toContain('all is said');
    const shown = await trap.run(['history', '--json']);
    expect(shown.stdout).toContain('succeeded');
    expect(trap.hits([{ stdout: screen }, shown], newOf(trap))).toEqual([]);
  });

  it('questions: a secret that is typed, and one that a question names', async () => {
    const trap = await setTrap();
    const typed = reversed(trap.canaries.PLAIN_TOKEN);
    const question = 'Use $PLAIN_TOKEN, ${SIGNS_PASSWORD}, $TYPED_TOKEN and $DB_URL?';
    const script = `${EVERYTHING}\n${LEAK} TYPED_TOKEN`;
    trap.home.write('Leak.md', documentOf('Leak', [{ keys: `confirm: ${question}`, script }]));
    const args = ['execute', './Leak.md', '--env', 'PEM_KEY=@key.pem', '--env', 'TYPED_TOKEN', '--token-file', 'token'];
    const { screen, exitCode } = await inTerminal(
      trap.home.folder,
      args,
      [
        [/TYPED_TOKEN: /, `${typed}\r`],
        [/\[y\/N\] /, 'y\r'],
      ],
      trap.environment,
    );
    expect(exitCode).toBe(0);
    expect(screen).toContain('Use $PLAIN_TOKEN, ${SIGNS_PASSWORD}, $TYPED_TOKEN and postgres://app:***@db-1');
    expect(screen).toContain('TYPED_TOKEN ***\r\n');
    const shown = await trap.run(['history', '--json']);
    expect(trap.hits([{ stdout: screen }, shown], { typed })).toEqual([]);
  });
});
