/** What `execute` tells besides what the script prints: `--junit`, `--verbose`, and the table at the end. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { execa } from 'execa';

const STEPS = (second: string): string =>
  `# Report\n\n# Steps\n\n## One <&> "1"\n\`\`\`bash\necho one\n\`\`\`\n\n## Two\n\`\`\`bash\n${second}\n\`\`\`\n\n## Three\n\`\`\`bash\ntrue\n\`\`\`\n`;

interface Case {
  readonly name: string;
  readonly line: string | null;
  readonly time: string | null;
  readonly inner: readonly {
    readonly tag: string;
    readonly type: string | null;
    readonly message: string | null;
    readonly text: string;
  }[];
}

/** Read by an XML parser that is not ours. */
async function readXml(
  file: string,
): Promise<{ readonly suite: Record<string, string>; readonly cases: readonly Case[] }> {
  const program = `import json,sys,xml.etree.ElementTree as E
s=E.parse(sys.argv[1]).getroot().find('testsuite')
print(json.dumps({'suite':s.attrib,'cases':[{'name':c.get('name'),'line':c.get('line'),'time':c.get('time'),'inner':[{'tag':e.tag,'type':e.get('type'),'message':e.get('message'),'text':e.text or ''} for e in c]} for c in s.findall('testcase')]}))`;
  const { stdout } = await execa('python3', ['-c', program, file]);
  return JSON.parse(stdout);
}

describe.skipIf(!requires('python3', '-c', 'import xml.etree.ElementTree'))('--junit (needs python3)', () => {
  it('has a test case a step, with the last lines of the one that failed, masked, in characters that XML has', async () => {
    const home = createHome();
    home.write(
      'Steps.md',
      STEPS('printf "a\\001b\\e[31mred\\e[0m ]]> <x> & \\377\\357\\277\\277\\n"; echo "$API_TOKEN"; exit 3'),
    );
    const args = ['execute', './Steps.md', '--junit', 'run.xml', '--pass-env', 'API_TOKEN'];
    const { exitCode } = await home.run(args, { env: { API_TOKEN: 'canary-of-a-token' } });
    expect(exitCode).toBe(3);
    const { suite, cases } = await readXml(path.join(home.folder, 'run.xml'));
    expect(suite).toMatchObject({ name: 'Steps.md', tests: '3', failures: '1', errors: '0', skipped: '1' });
    expect(cases.map(({ name, line }) => [name, line])).toEqual([
      ['One <&> "1"', '5'],
      ['Two', '10'],
      ['Three', '15'],
    ]);
    expect(cases[1]?.inner).toEqual([
      {
        tag: 'failure',
        type: 'failed',
        message: '“Two” ended with exit code 3.',
        text: 'a\\u{1}bred ]]> <x> & \u{FFFD}\u{FFFD}\n***',
      },
    ]);
    expect(cases[2]?.inner[0]?.tag).toBe('skipped');
    expect(readdirSync(home.folder).filter((name) => name.startsWith('.run.xml'))).toEqual([]);
    // The next run, which succeeds, replaces it.
    home.write('Steps.md', STEPS('true'));
    expect(await home.run(args)).toMatchObject({ exitCode: 0 });
    expect((await readXml(path.join(home.folder, 'run.xml'))).suite).toMatchObject({ failures: '0', skipped: '0' });
  });

  it('has an error where nothing was started', async () => {
    const home = createHome();
    home.write('Needs.md', classic('Needs', 'true', { env: 'WHERE: the <place>' }));
    const { exitCode } = await home.run(['execute', './Needs.md', '--junit', 'run.xml']);
    expect(exitCode).toBe(78);
    const { suite, cases } = await readXml(path.join(home.folder, 'run.xml'));
    expect(suite).toMatchObject({ name: 'Needs.md', tests: '1', failures: '0', errors: '1' });
    expect(cases[0]?.inner[0]).toMatchObject({ tag: 'error', type: 'requirements-unmet' });
    expect(cases[0]?.inner[0]?.text).toMatch(/Needs\.md:7:1: .*WHERE \(the <place>\)/);
    const missing = await home.run(['execute', 'Nowhere', '--junit', 'run.xml']);
    expect(missing.exitCode).toBe(66);
    expect((await readXml(path.join(home.folder, 'run.xml'))).suite).toMatchObject({ name: 'Nowhere', errors: '1' });
  });

  it.each([
    ['the runbook itself', 'Good.md', /is not a JUnit report/],
    ['a link', 'link.xml', /is not a regular file/],
    ['a folder', 'folder', /is not a regular file/],
    ['a folder that is not there', 'no/run.xml', /cannot be written \(ENOENT\)/],
    ['nothing', '', /no file is named/],
  ])('%s is not replaced, and nothing runs', async (_name, file, says) => {
    const home = createHome();
    const document = home.write('Good.md', classic('Good', 'touch ran'));
    symlinkSync(document, path.join(home.folder, 'link.xml'));
    mkdirSync(path.join(home.folder, 'folder'));
    const before = readFileSync(document, 'utf8');
    const run = await home.run(['execute', './Good.md', '--junit', file]);
    expect(run.stderr).toMatch(says);
    expect([64, 74]).toContain(run.exitCode);
    expect(readFileSync(document, 'utf8')).toBe(before);
    expect((await home.json(['history']))['runs']).toEqual([]);
  });
});

describe('--verbose', () => {
  it('says what was decided and how long it took, on stderr; values of secrets are not in it', async () => {
    const home = createHome();
    home.write('Said.md', classic('Said', 'echo out', { env: 'API_TOKEN: the key\nHOST: the host' }));
    const env = { CI: 'true', API_TOKEN: 'canary-token', JWT_SECRET: 'canary-'.repeat(6), HOST: 'db-3' };
    const run = await home.run(['execute', '-v', './Said.md'], { env });
    expect(run).toMatchObject({ exitCode: 0, stdout: 'out\n' });
    expect(run.stderr).not.toContain('canary');
    for (const line of [
      /^setting: jwt_secret = \(secret\) \(JWT_SECRET\)$/m,
      /^setting: timeout = 10m \(CI\)$/m,
      /^token: none$/m,
      /^caller: nobody, since there is no token$/m,
      /^time limit: 10m, by the setting timeout$/m,
      /^variables: API_TOKEN \(environment\), HOST \(environment\)$/m,
      /^containment: \w+/m,
      /^environment: API_TOKEN, HOME, HOST, .*RUNBOOK_RUN_ID/m,
      /^times: before [\d.]+\w+, checks .*, preparation .*, scripts .*, record /m,
    ])
      expect(run.stderr).toMatch(line);
    expect((await home.run(['execute', './Said.md'], { env })).stderr).not.toMatch(/^(?:setting|environment|times):/m);
    const limited = await home.run(['execute', '-v', './Said.md', '--timeout', '90s'], { env });
    expect(limited.stderr).toMatch(/^time limit: 1m30s, by --timeout$/m);
  });
});
