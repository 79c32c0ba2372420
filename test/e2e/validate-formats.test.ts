/** Reports for machines: each is judged by somebody else's reader, with names and texts that try to break out. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { annotationLine, withoutCommands } from '../../src/core/workflow-commands.ts';
import { createHome, REPOSITORY } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { readCommand } from '../helpers/runner-commands.ts';

const GOOD = '# Good\n\n# Steps\n\n## One\n```bash\ntrue\n```\n';
/** Two errors, one of them with a repair, and a warning; its text is what a report must not take for its own. */
const BAD = `# Bad

# Metadata
\`\`\`yaml
ownr: team
"]]>, %0A::set-output name=a::b <&\\" ##[set-output name=a;]b": x
\`\`\`

# Notes <b>, 100%: a

# Steps

## One
\`\`\`bash
true
\`\`\`
`;
/** A name that XML, a URI and the runner each would have to escape. */
const ODD = 'a,b:c %20"<&é.md';

function prepared(): Home {
  const home = createHome();
  mkdirSync(path.join(home.folder, 'runbooks'));
  home.write('runbooks/Good.md', GOOD);
  home.write('runbooks/Bad.md', BAD);
  home.write(`runbooks/${ODD}`, BAD);
  return home;
}

const ajv = new Ajv2020({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats.default(ajv);
const isSarif = ajv.compile(
  JSON.parse(readFileSync(path.join(REPOSITORY, 'test/fixtures/sarif/sarif-2.1.0.schema.json'), 'utf8')),
);

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly fixes?: readonly unknown[];
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: { readonly startLine: number };
        };
      }[];
    }[];
  }[];
}

describe('SARIF', () => {
  test('fits the schema of SARIF, and every result leads to its rule and its line', async () => {
    const home = prepared();
    const { stdout, exitCode } = await home.run(['validate', '--format', 'sarif', '--ready']);
    const document = JSON.parse(stdout) as Sarif;
    expect(isSarif(document), JSON.stringify(isSarif.errors)).toBe(true);
    expect(exitCode).toBe(65);
    const [run] = document.runs;
    const results = run?.results ?? [];
    expect(results.length).toBeGreaterThanOrEqual(6);
    for (const { ruleId, ruleIndex } of results) expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    const places = results.map(({ level, ruleId, locations }) => {
      const { artifactLocation, region } = locations[0]?.physicalLocation ?? {};
      const file = new URL(artifactLocation?.uri ?? '', 'file:///w/').pathname;
      return `${decodeURIComponent(file)}:${region?.startLine}: ${level} ${ruleId}`;
    });
    expect(places).toContain(`/w/runbooks/Bad.md:5: error key-unknown`);
    expect(places).toContain(`/w/runbooks/Bad.md:9: warning section-unknown`);
    expect(places).toContain(`/w/runbooks/${ODD}:5: error key-unknown`);
    expect(results.filter(({ fixes }) => fixes !== undefined)).toHaveLength(2);
  });

  test('the schema refuses what is nearly it', () => {
    const result = (level: string): unknown => ({
      version: '2.1.0',
      runs: [{ tool: { driver: { name: 'x' } }, results: [{ level, message: { text: 'x' } }] }],
    });
    expect(isSarif(result('error'))).toBe(true);
    expect(isSarif(result('fatal'))).toBe(false);
  });

  test('with no problems there are no results, and a document that is not there is one', async () => {
    const home = prepared();
    const clean = await home.run(['validate', 'Good', '--format', 'sarif']);
    expect(clean).toMatchObject({ exitCode: 0, stderr: '' });
    expect(isSarif(JSON.parse(clean.stdout))).toBe(true);
    expect((JSON.parse(clean.stdout) as Sarif).runs[0]?.results).toEqual([]);
    const missing = await home.run(['validate', './None.md', '--format', 'sarif']);
    expect(isSarif(JSON.parse(missing.stdout))).toBe(true);
    expect((JSON.parse(missing.stdout) as Sarif).runs[0]?.results).toMatchObject([{ ruleId: 'not-found' }]);
  });
});

describe.skipIf(!requires('python3'))('JUnit (read by Expat of python3)', () => {
  /** Counts and texts as a reader of XML finds them. */
  const READ = `
import json, sys
import xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
suites = root.findall('testsuite')
print(json.dumps({
  'root': root.tag, 'tests': int(root.get('tests')), 'failures': int(root.get('failures')),
  'suites': [{'name': s.get('name'), 'tests': int(s.get('tests')), 'failures': int(s.get('failures')),
    'cases': [{'name': c.get('name'), 'file': c.get('file'), 'line': c.get('line'),
      'failure': c.find('failure').text if c.find('failure') is not None else None,
      'printed': c.find('system-out').text if c.find('system-out') is not None else None} for c in s.findall('testcase')]} for s in suites]}))
`;
  interface Suite {
    readonly name: string;
    readonly tests: number;
    readonly failures: number;
    readonly cases: readonly {
      readonly name: string;
      readonly failure: string | null;
      readonly printed: string | null;
    }[];
  }
  async function read(
    xml: string,
  ): Promise<{ readonly tests: number; readonly failures: number; readonly suites: readonly Suite[] }> {
    const { stdout } = await execa('python3', ['-c', READ], { input: xml });
    return JSON.parse(stdout) as { tests: number; failures: number; suites: Suite[] };
  }

  test('a suite a document, a case a problem; counts are those of the cases', async () => {
    const home = prepared();
    const { stdout, exitCode } = await home.run(['validate', '--format', 'junit']);
    expect(exitCode).toBe(65);
    const report = await read(stdout);
    expect(report.suites.map(({ name }) => name).sort()).toEqual(
      ['runbooks/Bad.md', 'runbooks/Good.md', `runbooks/${ODD}`].sort(),
    );
    for (const { tests, failures, cases } of report.suites) {
      expect(tests).toBe(cases.length);
      expect(failures).toBe(cases.filter(({ failure }) => failure !== null).length);
    }
    expect(report.tests).toBe(report.suites.reduce((sum, { tests }) => sum + tests, 0));
    expect(report.failures).toBe(report.suites.reduce((sum, { failures }) => sum + failures, 0));
    const bad = report.suites.find(({ name }) => name === 'runbooks/Bad.md');
    const texts = bad?.cases.flatMap(({ failure, printed }) => failure ?? printed ?? []) ?? [];
    expect(texts.join('\n')).toContain('`]]>, %0A::set-output name=a::b <&" ##[set-output name=a;]b` is not a key');
    expect(texts.join('\n')).toContain('runbooks/Bad.md:9:1: warning: ');
    expect(report.suites.find(({ name }) => name === 'runbooks/Good.md')?.cases).toMatchObject([
      { name: 'valid', failure: null },
    ]);
  });

  test('a name that no XML can hold is still XML', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'runbooks'));
    home.write('runbooks/a\u0001\u001b\n\t.md', BAD);
    const { stdout } = await home.run(['validate', '--format', 'junit']);
    const { suites } = await read(stdout);
    expect(suites.map(({ name }) => name)).toEqual(['runbooks/a\u{fffd}\u{fffd}\n\t.md']);
  });
});

describe('annotations of GitHub Actions', () => {
  test('each is one line that the runner reads back as it was meant', async () => {
    const home = prepared();
    const { stdout } = await home.run(['validate', '--format', 'github']);
    const commands = stdout.trimEnd().split('\n').map(readCommand);
    expect(commands.every((command) => command !== null && ['error', 'warning'].includes(command.command))).toBe(true);
    expect(commands).toContainEqual({
      command: 'error',
      properties: { file: `runbooks/${ODD}`, line: '5', col: '1', title: 'runbook: key-unknown' },
      message: '`ownr` is not a key that is known here.\nWrite `owner`.',
    });
  });

  test('in a job they stand beside the text, on stderr, with paths from the workspace; elsewhere they do not', async () => {
    const home = prepared();
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: home.folder, CI: 'true' };
    const cwd = path.join(home.folder, 'runbooks');
    const { stdout, stderr } = await home.run(['validate', './Bad.md'], { env, cwd });
    expect(stdout).toContain('Bad.md:5:1: error: ');
    expect(stdout).not.toMatch(/^::/m);
    expect(stderr).toContain('::error file=runbooks/Bad.md,line=5,col=1,title=runbook%3A key-unknown::`ownr`');
    const elsewhere = await home.run(['validate', './Bad.md'], { cwd });
    expect(elsewhere.stderr).not.toContain('::error');
    expect(elsewhere.stdout).toContain('##[set-output');
    const asJson = await home.run(['validate', './Bad.md', '--json'], { env, cwd });
    expect(asJson.stderr).toBe('');
  });

  test('a workspace that is a link, and a document outside of it', async () => {
    const home = prepared();
    symlinkSync(home.folder, path.join(home.folder, 'link'));
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: path.join(home.folder, 'link') };
    expect((await home.run(['validate', 'Bad'], { env })).stderr).toContain('file=runbooks/Bad.md,');
    const other = createHome();
    const file = other.write('Bad.md', BAD);
    expect((await home.run(['validate', file], { env })).stderr).toContain(`file=${file},`);
  });

  test('no text of a document, and no name of one, is read as a command of the runner', async () => {
    const home = createHome();
    home.write('::set-output name=a::b.md', BAD);
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: home.folder };
    const { stdout, stderr } = await home.run(['validate', '.', '--fix', '--dry-run'], { env });
    const found = `${stdout}\n${stderr}`.split('\n').map(readCommand);
    expect(stdout).toContain('# #[set-output');
    expect(new Set(found.map((command) => command?.command))).toEqual(new Set([undefined, 'error', 'warning']));
  });

  test('escaping is taken back by the runner, whatever the text', () => {
    const odd = 'a%b,c:d\r\ne::f%2C%0A';
    const line = annotationLine({ level: 'notice', file: odd, line: 1, column: 2, title: odd, message: odd });
    expect(line).not.toMatch(/[\r\n]/);
    expect(readCommand(line)).toEqual({
      command: 'notice',
      properties: { file: odd, line: '1', col: '2', title: odd },
      message: odd,
    });
    expect(['##[error]x', ' ::error::x', 'a ##[group]b', 'plain'].map(withoutCommands).map(readCommand)).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('--output', () => {
  test('the report is in the file, whole, and nothing of it on stdout', async () => {
    const home = prepared();
    const { stdout, stderr, exitCode } = await home.run(['validate', '--format', 'sarif', '-o', 'report.sarif']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 65 });
    expect(stderr).toBe('2 of 3 documents invalid\n');
    expect(isSarif(JSON.parse(readFileSync(path.join(home.folder, 'report.sarif'), 'utf8')))).toBe(true);
    const again = await home.run(['validate', 'Good', '--output', 'report.sarif']);
    expect(again.exitCode).toBe(0);
    expect(readFileSync(path.join(home.folder, 'report.sarif'), 'utf8')).toBe('');
    expect(readdirSync(home.folder).filter((name) => name.includes('.tmp') && name !== '.tmp')).toEqual([]);
  });

  test.each([
    ['a document', 'runbooks/Good.md', 'is a markdown document'],
    ['a folder', 'runbooks', 'is a folder'],
    ['a folder that is not there', 'none/report', 'cannot be written (ENOENT)'],
  ])('%s is not written to', async (_, file, message) => {
    const home = prepared();
    const { stderr, exitCode } = await home.run(['validate', '--output', file]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(file.startsWith('none') ? 74 : 64);
    expect(readFileSync(path.join(home.folder, 'runbooks/Good.md'), 'utf8')).toBe(GOOD);
  });

  test('a link leads to the file that it names; - and /dev/stdout are stdout', async () => {
    const home = prepared();
    writeFileSync(path.join(home.folder, 'real.xml'), 'old');
    symlinkSync('real.xml', path.join(home.folder, 'link.xml'));
    await home.run(['validate', '--format', 'junit', '--output', 'link.xml']);
    expect(readFileSync(path.join(home.folder, 'real.xml'), 'utf8')).toContain('<testsuites');
    for (const file of ['-', '/dev/stdout']) {
      const { stdout } = await home.run(['validate', '--format', 'junit', '--output', file]);
      expect(stdout).toContain('<testsuites');
    }
    expect(existsSync(path.join(home.folder, '-'))).toBe(false);
  });
});

describe('--strict', () => {
  test('a warning is an error, in every form', async () => {
    const home = createHome();
    const file = home.write('Other.md', GOOD);
    expect((await home.run(['validate', file])).exitCode).toBe(0);
    const strict = await home.run(['validate', file, '--strict']);
    expect(strict).toMatchObject({ exitCode: 65, stderr: '1 of 1 document invalid\n' });
    expect(strict.stdout).toContain(': error: The title `Good` differs');
    expect(await home.json(['validate', file, '--strict'])).toMatchObject({
      valid: false,
      documents: [{ valid: false, problems: [{ severity: 'error', rule: 'title-differs' }] }],
    });
    const github = await home.run(['validate', file, '--strict', '--format', 'github']);
    expect(github.stdout).toMatch(/^::error /);
  });
});

test.each([
  [['--json', '--format', 'sarif'], '--json and --format sarif exclude each other'],
  [['--dry-run'], '--dry-run is for --fix'],
  [['--fix', '--dry-run', '--format', 'junit'], '--dry-run and --format junit exclude each other'],
  [['--watch', '--fix'], '--watch and --fix exclude each other'],
  [['--watch', '--format', 'github'], '--watch and --format github exclude each other'],
  [['--watch', '--output', 'a'], '--watch and --output exclude each other'],
  [['--format', 'xml'], '--format: “xml” is not one of text, json'],
])('%j is refused', async (args, message) => {
  const { stderr, exitCode } = await prepared().run(['validate', ...args]);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(64);
});
