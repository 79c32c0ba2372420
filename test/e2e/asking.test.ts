/** Asking the record: which runs, in which form, and with which content. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { Marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/adapters/output/frames.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { AUTH, mint } from '../helpers/json-calls.ts';
import { plainUser } from '../helpers/plain-user.ts';
import { requires } from '../helpers/requires.ts';

interface Found {
  readonly runs: readonly StoredRun[];
  readonly search?: { readonly notSearched: number; readonly more: boolean; readonly matches: readonly object[] };
}

async function ask(home: Home, ...options: readonly string[]): Promise<Found> {
  return (await home.json(['history', ...options])) as unknown as Found;
}

async function names(home: Home, ...options: readonly string[]): Promise<readonly string[]> {
  return (await ask(home, ...options)).runs.map(({ runbook }) => runbook.name);
}

async function ran(home: Home, name: string, script: string, ...options: readonly string[]): Promise<void> {
  home.write(`${name}.md`, classic(name, script));
  await home.run(['execute', `./${name}.md`, '--history', 'ledger', ...options], { env: AUTH });
}

describe('which runs', () => {
  it('by outcomes, incident, dates and text, in every combination', async () => {
    const home = createHome();
    await ran(home, 'One', 'echo Connection refused; exit 3', '--incident', 'INC-1');
    await ran(home, 'Two', 'echo fine', '--incident', 'INC-1');
    await ran(home, 'Three', 'echo connection REFUSED >&2', '--incident', 'INC-2');
    await home.run(['execute', './Nothing.md']);
    const today = new Date().toISOString().slice(0, 10);

    expect(await names(home, '--outcome', 'failed,refused')).toEqual(['./Nothing.md', 'One']);
    expect(await names(home, '--outcome', 'failed', '--outcome', 'succeeded')).toEqual(['Three', 'Two', 'One']);
    expect(await names(home, '--incident', 'INC-1')).toEqual(['Two', 'One']);
    expect(await names(home, '--incident', 'INC-1', '--outcome', 'failed', '--since', '1h')).toEqual(['One']);
    expect(await names(home, '--until', '1h')).toEqual([]);
    expect(await names(home, '--since', '2000-01', '--until', '2000-12-31')).toEqual([]);
    expect(await names(home, '--since', '2000-01', '--until', '9999-01')).toHaveLength(4);
    // The whole day of the last run, which may be the one behind that of the first.
    expect(await names(home, '--since', today, '--until', new Date().toISOString().slice(0, 10))).toHaveLength(4);
    expect(await names(home, '--grep', 'connection refused')).toEqual(['Three', 'One']);
    expect(await names(home, '--grep', 'CONNECTION', '--incident', 'INC-1')).toEqual(['One']);

    const { search } = await ask(home, '--grep', 'refused', '-n', '1');
    const {
      runs: [three],
    } = await ask(home, '--runbook', 'Three');
    const line = { stream: 'stderr', text: 'connection REFUSED' };
    expect(search).toEqual({
      text: 'refused',
      notSearched: 0,
      unreadable: 0,
      more: true,
      matches: [{ runId: three?.runId, lines: [line], more: false }],
    });

    const shown = await home.run(['history', '--grep', 'refused']);
    expect(shown.stdout.split('\n').map((text) => text.trim().split(/\s+/).slice(0, 3).join(' '))).toEqual([
      'WHEN RUNBOOK OUTCOME',
      expect.stringMatching(/Three succeeded$/) as string,
      'stderr: connection REFUSED',
      expect.stringMatching(/One failed$/) as string,
      'stdout: Connection refused',
      '',
    ]);
    expect((await home.run(['history', '-n', '2'])).stderr).toContain('There are more than these 2');
    expect((await home.run(['history', '-n', '1'])).stderr).toContain('There are more than this one:');
    expect(await home.json(['history', '-n', '2'])).toMatchObject({ hasMore: true });
    expect(await home.json(['history', '-n', '4'])).toMatchObject({ hasMore: false });
    expect((await home.run(['history', '-n', '4'])).stderr).toBe('');
    expect((await home.run(['history', '--subject', 'nobody'])).stderr).toBe('No runs fit.\n');
    const summary = await home.run(['history', '--subject', 'nobody', '--format', 'markdown']);
    expect(summary.stdout).toBe('# Runs\n\nNo runs fit.\n');

    rmSync(path.join(home.stateDir, 'output', three?.runId ?? ''));
    const without = await home.run(['history', '--grep', 'refused']);
    expect(without.stdout).not.toContain('Three');
    expect(without.stderr).toMatch(/The output of 1 more run could not be looked at/);
  });

  it('says of an output that was changed or damaged that it does not fit its digest, wherever it is shown', async () => {
    const home = createHome();
    await ran(home, 'One', 'echo connection refused; exit 3');
    const { runId = '' } = (await ask(home)).runs[0] ?? {};
    const file = path.join(home.stateDir, 'output', runId);
    const whole = readFileSync(file);
    const shown = async (...options: readonly string[]): Promise<string> => {
      const { stdout, stderr } = await home.run(['history', ...options]);
      return stdout + stderr;
    };
    const everywhere = async (): Promise<readonly unknown[]> => [
      (await home.json(['history', runId]))['output'],
      await shown(runId),
      await shown(runId, '--format', 'markdown'),
      await shown('--format', 'markdown'),
      await shown(runId, '--follow'),
    ];
    const sound = await everywhere();
    expect(sound.filter((one) => JSON.stringify(one).includes('not fit its digest'))).toEqual([]);
    expect(sound[0]).toMatchObject({ intact: true });
    const payload = Buffer.from('connection refusal\n');
    const forged = Buffer.concat(encodeFrame({ kind: 'stdout', sequence: 0, step: 0, payload }));
    for (const bytes of [Buffer.concat([forged, whole.subarray(forged.length)]), whole.subarray(0, 40)]) {
      writeFileSync(file, bytes);
      const [output, ...texts] = await everywhere();
      expect(output).toMatchObject({ intact: false });
      for (const text of texts) expect(text).toContain('does not fit its digest: it was changed or damaged');
      expect(await ask(home, '--grep', 'connection')).toMatchObject({ runs: [], search: { notSearched: 1 } });
    }
    rmSync(file);
    expect((await home.json(['history', runId]))['output']).toMatchObject({ intact: null });
  });

  it.each([
    [['--since', 'yesterday'], /--since: “yesterday” is no date/],
    [['--grep', 'ab'], /3 to 1000 characters/],
    [['--format', 'xml'], /--format/],
    [['01K', '--document', '--json'], /--document prints the bytes/],
  ])('%j is refused in a sentence', async (options, says) => {
    const { exitCode, stderr } = await createHome().run(['history', ...options]);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/\n {2}fix: \S/);
    expect(exitCode).toBe(64);
  });

  it('is answered as JSON also where nothing can be made of the words', async () => {
    for (const words of [['--format', 'json'], ['--format=json'], ['--json']]) {
      const { stdout } = await createHome().run(['history', '--frobnicate', ...words]);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'usage' } });
    }
  });
});

/** What is in a markdown text, as GitHub would see it: everything that could do more than be read. */
function partsOf(markdown: string): { readonly headings: readonly string[]; readonly types: ReadonlySet<string> } {
  const [headings, types]: [string[], Set<string>] = [[], new Set()];
  const marked = new Marked();
  void marked.walkTokens(marked.lexer(markdown), (token) => {
    types.add(token.type);
    if (token.type === 'heading') headings.push(token.raw.trim());
  });
  return { headings, types };
}

describe('in which form', () => {
  const HARMLESS = new Set(['heading', 'paragraph', 'space', 'table', 'text', 'codespan', 'code']);
  const HOSTILE = '=1+1|<b>`x`\u202e,"#';

  it('hostile names, callers and outputs change neither the table, nor the CSV, nor the summary', async () => {
    const home = createHome();
    const script = [
      "printf '\\033[2J\\r\\n```\\n# Heading\\n<script>alert(1)</script>\\n| a | b |\\n'",
      "printf '~~~\\n[x](https://example.com)\\n=1+1\\n@all\\n'",
      'exit 3',
    ].join('\n');
    home.write(`${HOSTILE}.md`, classic('Hostile', script));
    await mint(home, '--subject', '=1 | `# <img src=x> @all');
    const options = ['--history', 'ledger', '--token-file', 'token', '--incident', '</td>`| # INC'];
    await home.run(['execute', `./${HOSTILE}.md`, ...options], { env: AUTH });
    await ran(home, 'Fine', 'echo fine', '--incident', '</td>`| # INC');
    await home.run(['execute', './<script>|`.md', '--incident', '</td>`| # INC']);

    const table = await home.run(['history']);
    expect(table.stdout.split('\n')).toHaveLength(5);
    // The tool prints no control characters but line feeds.
    expect(table.stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);

    const csv = await home.run(['history', '--format', 'csv']);
    expect(csv.stdout.split('\r\n')).toHaveLength(5);
    expect(csv.stdout).not.toMatch(/(?!\r\n)(?<!\r)[\p{Cc}\p{Cf}]/u);
    expect(csv.stdout).not.toMatch(/(?:^|,)"?[=+\-@]/m);
    expect(csv.stdout).toContain(`"'=1+1|<b>\`x\`\\u{202e},""#"`);

    const summary = await home.run(['history', '--format', 'markdown', '--incident', '</td>`| # INC']);
    const { headings, types } = partsOf(summary.stdout);
    expect([...types].filter((type) => !HARMLESS.has(type))).toEqual([]);
    expect(headings.map((heading) => heading.replace(/ .*/, ''))).toEqual(['#', '##', '###', '###']);
    expect(summary.stdout.match(/^\| 2/gm)).toHaveLength(3);
    expect(summary.stdout).toMatch(/3 runs, 2 without success/);
    expect(summary.stdout).toContain('<script>alert(1)</script>\n');
    expect(summary.stdout.indexOf('Hostile')).toBeLessThan(summary.stdout.indexOf('`Fine`'));

    for (const { runId } of (await ask(home)).runs) {
      const page = partsOf((await home.run(['history', runId, '--format', 'markdown'])).stdout);
      expect([...page.types].filter((type) => !HARMLESS.has(type))).toEqual([]);
      expect(page.headings.length).toBeLessThanOrEqual(2);
      expect((await home.run(['history', runId, '--format', 'csv'])).stdout.split('\r\n')).toHaveLength(3);
    }
    const found = await home.run(['history', '--grep', 'alert(', '--format', 'markdown']);
    expect([...partsOf(found.stdout).types].filter((type) => !HARMLESS.has(type))).toEqual([]);
    expect(found.stdout).toContain('## Lines with `alert(`');
  });

  it('a page has the steps, a summary the end of a long output', async () => {
    const home = createHome();
    home.write('Long.md', '# Long\n\n# Steps\n\n## First\n```sh\nseq 5000\n```\n\n## Second\n```sh\nexit 4\n```\n');
    await home.run(['execute', './Long.md', '--history', 'ledger']);
    const {
      runs: [run],
    } = await ask(home);
    const page = (await home.run(['history', run?.runId ?? '', '--format', 'markdown'])).stdout;
    expect(page).toMatch(/^\| 1 \| `First` \| succeeded \| \S+ \| – \|\n\| 2 \| `Second` \| failed \|/m);
    expect(page).toMatch(/The end of 23893 bytes; `runbook history \w{26}` shows what is kept\.\n\n```text\n4941\n/);
    const { stdout } = await home.run(['history', '--format', 'markdown']);
    expect(stdout).toContain('failed, at step 2 of 2 (`Second`): `“Second” ended with exit code 4.`');
    expect(stdout).toMatch(/The end of its output:\n\n```text\n4991\n[^]*5000\n```\n$/);
  });
});

describe('with which values', () => {
  it('many runs were asked for: a column of CSV and of the summary; secrets by name', async () => {
    const home = createHome();
    const env = 'COUNT:\n  description: How many\n  type: integer\nAPI_TOKEN:\n  description: A key\n  secret: true';
    home.write('Task.md', classic('Task', 'true', { env }));
    await ran(home, 'Plain', 'true');
    for (const count of ['7', '8'])
      await home.run(
        ['execute', '-q', './Task.md', '--history', 'ledger', '--env', `COUNT=${count}`, '--env', 'API_TOKEN'],
        { env: { API_TOKEN: 'hunter22hunter22' } },
      );
    const csv = (await home.run(['history', '--format', 'csv'])).stdout;
    expect(csv).toMatch(/,"API_TOKEN; COUNT=8",,,,\r\n[^]*,"API_TOKEN; COUNT=7",,,,\r\n/);
    const markdown = (await home.run(['history', '--format', 'markdown'])).stdout;
    expect(markdown.match(/^\| \S+ \| `Task` \| `API_TOKEN; COUNT=[78]` \|/gm)).toHaveLength(2);
    expect(markdown).toMatch(/^\| \S+ \| `Plain` \| +\| `/m);
    expect(csv + markdown).not.toContain('hunter22');
  });
});

describe('with which content', () => {
  it('the document as it was, byte by byte, also after it was changed', async () => {
    const home = createHome();
    await ran(home, 'Task', 'echo first');
    await ran(home, 'Task', 'echo second');
    const [second, first] = (await ask(home)).runs;
    for (const [run, word] of [
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      const { stdout } = await home.run(['history', run?.runId ?? '', '--document']);
      expect(stdout).toContain(`echo ${word}`);
      expect(createHash('sha256').update(stdout).digest('hex')).toBe(run?.runbook.digest);
    }
    await home.run(['execute', './Nothing.md']);
    const [refused] = (await ask(home)).runs;
    const none = await home.run(['history', refused?.runId ?? '', '--document']);
    expect([none.exitCode, none.stdout]).toEqual([66, '']);
    expect(none.stderr).toMatch(/has no document/);
  });

  it.each([
    ['192.0.2.7 50000 192.0.2.1 22', '192.0.2.7'],
    ['2001:db8::7 50000 2001:db8::1 22', '2001:db8::7'],
    ['UNKNOWN 65535 UNKNOWN 65535', null],
    ['evil\n192.0.2.7', null],
    ['', null],
  ])('from where: SSH_CONNECTION=%j', async (connection, address) => {
    const home = createHome();
    home.write('Task.md', classic('Task', 'true'));
    const call = ['execute', './Task.md', '--history', 'ledger'];
    await home.run(call, { env: { SSH_CONNECTION: connection } });
    const {
      runs: [run],
    } = await ask(home);
    expect(run?.who.address).toBe(address);
    const { stdout } = await home.run(['history', run?.runId ?? '']);
    expect(/@\S+ from (\S+) by/.exec(stdout)?.[1] ?? null).toBe(address);
  });
});

describe('what cannot fit, or cannot be looked at', () => {
  it('a runbook that nothing is recorded of: a near one is named, another filter is not blamed on the name', async () => {
    const home = createHome();
    await ran(home, 'RestartApi', 'true');
    const says = async (...options: readonly string[]): Promise<unknown> => {
      const { exitCode, stdout, stderr } = await home.run(['history', ...options]);
      return [exitCode, stdout + stderr];
    };
    for (const near of ['restartapi', 'RestartAPi', 'Restart'])
      expect(await says('--runbook', near)).toEqual([0, 'No runs fit. Did you mean “RestartApi”?\n']);
    expect(await says('--runbook', 'restartapi', '--format', 'markdown')).toEqual([
      0,
      '# Runs\n\nNo runs fit. Did you mean “RestartApi”?\n',
    ]);
    expect(await says('--runbook', 'Nope')).toEqual([0, 'No runs fit.\n']);
    expect(await says('--runbook', 'RestartApi', '--outcome', 'failed')).toEqual([0, 'No runs fit.\n']);
  });

  it.each(['--incident', '--runbook', '--subject', '--grep'])(
    '%s with nothing behind it is a mistake',
    async (option) => {
      const { exitCode, stderr } = await createHome().run(['history', option, '']);
      expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`${option} is empty.`)]);
    },
  );

  it('an output that was changed is counted, and the exit code says so', async () => {
    const home = createHome();
    home.write('Task.md', classic('Task', 'echo needle'));
    for (let n = 0; n < 2; n += 1) await home.run(['execute', '-q', './Task.md', '--history', 'ledger']);
    const outputs = path.join(home.stateDir, 'output');
    const [changed = ''] = readdirSync(outputs);
    writeFileSync(path.join(outputs, changed), 'something else');
    const { exitCode, stdout, stderr } = await home.run(['history', '--grep', 'needle']);
    expect([exitCode, stdout.match(/needle/g)?.length]).toEqual([74, 1]);
    expect(stderr).toContain('The output of 1 more run could not be looked at: it cannot be read, or does not fit');
  });

  it.skipIf(process.getuid?.() !== 0 || !requires('setpriv'))(
    'a ledger that its user may only read is asked (needs setpriv as root)',
    async () => {
      const place = mkdtempSync(path.join(tmpdir(), 'runbook-plain-'));
      try {
        chmodSync(place, 0o755);
        const user = plainUser(place);
        user.install();
        const home = user.folder(path.join(place, 'home'));
        const [program = '', ...args] = user.command([...user.program, 'execute', '-q', './Task.md']);
        writeFileSync(path.join(home, 'Task.md'), classic('Task', 'true'));
        const options = {
          cwd: home,
          env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home },
          extendEnv: false,
        };
        await execa(program, args, options);
        const ledger = path.join(home, '.local/state/runbook/ledger.sqlite');
        for (const mode of [0o444, 0o440, 0o400]) {
          chmodSync(ledger, mode);
          for (const question of [['history'], ['audit', 'verify'], ['ps']]) {
            const [asked = '', ...words] = user.command([...user.program, ...question]);
            expect(await execa(asked, words, { ...options, reject: false })).toMatchObject({ exitCode: 0 });
          }
        }
      } finally {
        rmSync(place, { recursive: true });
      }
    },
  );
});
