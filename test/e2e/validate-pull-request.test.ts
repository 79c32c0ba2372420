/** 200 runbooks, as a pull request would have them checked: counts, exit code, and annotations on the right lines. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { readCommand } from '../helpers/runner-commands.ts';

const COUNT = 200;

interface Breach {
  readonly rule: string;
  readonly level: 'error' | 'warning';
  readonly from: string;
  readonly to: string;
}

const BREACHES: readonly Breach[] = [
  { rule: 'section-misspelt', level: 'error', from: '# Limits', to: '# Limts' },
  { rule: 'key-unknown', level: 'error', from: 'timeout: 10m', to: 'timeuot: 10m' },
  { rule: 'limit-duration', level: 'error', from: 'timeout: 10m', to: 'timeout: 600' },
  { rule: 'claims-empty', level: 'error', from: 'roles: sre', to: 'roles:' },
  { rule: 'env-denied', level: 'error', from: 'HOST:', to: 'LD_PRELOAD:' },
  { rule: 'step-fence', level: 'error', from: '```bash', to: '```ruby' },
  { rule: 'raw-html', level: 'error', from: 'Moves work', to: '<div hidden>work' },
  { rule: 'section-unknown', level: 'warning', from: '# Limits', to: '# Background\n\nNone.\n\n# Limits' },
  { rule: 'review-overdue', level: 'warning', from: '2999-01-31', to: '2020-01-31' },
];

/** Valid, of a length of its own so that equal breaches stand in different lines. */
function document(name: string, index: number): string {
  const prose = Array.from({ length: index % 17 }, (_, line) => `Line ${line} of the introduction.\n`).join('');
  const steps = Array.from(
    { length: 1 + (index % 5) },
    (_, step) => `## Step ${step}\n${step === 0 ? '```bash' : '```sh'}\necho "$HOST ${step}"\n\`\`\`\n\n`,
  ).join('');
  return `# ${name}

Moves work away.
${prose}
# Metadata
\`\`\`yaml
review_by: 2999-01-31
\`\`\`

# Environment Requirements
\`\`\`yaml
HOST: which one
\`\`\`

# Required Claims
\`\`\`yaml
roles: sre
\`\`\`

# Limits
\`\`\`yaml
timeout: 10m
\`\`\`

# Steps

${steps}`;
}

interface Expected {
  readonly file: string;
  readonly level: string;
  readonly rule: string;
  readonly line: number;
}

/** Every third one has a breach. @returns where */
function write(home: Home): readonly Expected[] {
  const expected: Expected[] = [];
  for (let index = 0; index < COUNT; index += 1) {
    const folder = `runbooks/team-${index % 4}`;
    const name = `Drain${index}`;
    const right = document(name, index);
    mkdirSync(path.join(home.folder, folder), { recursive: true });
    const breach = index % 3 === 0 ? BREACHES[(index / 3) % BREACHES.length] : undefined;
    const text = breach === undefined ? right : right.replace(breach.from, breach.to);
    writeFileSync(path.join(home.folder, folder, `${name}.md`), text);
    if (breach === undefined) continue;
    const line = right.slice(0, right.indexOf(breach.from)).split('\n').length;
    expected.push({ file: `${folder}/${name}.md`, level: breach.level, rule: breach.rule, line });
  }
  return expected;
}

const inOrder = (found: readonly Expected[]): readonly string[] =>
  found.map(({ file, level, rule, line }) => `${file}:${line}: ${level} ${rule}`).sort();

describe('a pull request with 200 runbooks', () => {
  test('is annotated on the lines that are wrong, and only there', async () => {
    const home = createHome();
    const expected = write(home);
    const output = home.write('output', '');
    const env = {
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: home.folder,
      GITHUB_STEP_SUMMARY: output,
      GITHUB_OUTPUT: output,
    };
    const { stdout, stderr, exitCode } = await home.run(['validate', 'runbooks/**/*.md'], { env });
    const found = stderr
      .split('\n')
      .map(readCommand)
      .filter((command) => command !== null)
      .map(({ command, properties }): Expected => ({
        file: properties['file'] ?? '',
        level: command,
        rule: (properties['title'] ?? '').replace('runbook: ', ''),
        line: Number(properties['line']),
      }));
    expect(inOrder(found)).toEqual(inOrder(expected));
    expect(exitCode).toBe(65);
    const invalid = expected.filter(({ level }) => level === 'error').length;
    expect(stderr).toContain(`${invalid} of ${COUNT} documents invalid\n`);
    // The same for whoever reads the log.
    const lines = stdout.split('\n').filter((line) => /^runbooks\/team-\d\/Drain\d+\.md:\d+:\d+: /.test(line));
    expect(lines).toHaveLength(expected.length);
    process.stdout.write(`${COUNT} documents, ${invalid} invalid, ${found.length} annotations\n`);
  });

  test('the other reports say the same, and warnings alone let it pass unless they count', async () => {
    const home = createHome();
    const expected = write(home);
    const invalid = new Set(expected.filter(({ level }) => level === 'error').map(({ file }) => file));
    const { documents } = (await home.json(['validate', 'runbooks/**/*.md'])) as {
      documents: { path: string; valid: boolean; problems: { line: number; rule: string; severity: string }[] }[];
    };
    expect(documents).toHaveLength(COUNT);
    expect(new Set(documents.filter(({ valid }) => !valid).map(({ path: file }) => file))).toEqual(invalid);
    const problems = documents.flatMap(({ path: file, problems: all }) =>
      all.map(({ line, rule, severity }) => ({ file, line, rule, level: severity })),
    );
    expect(inOrder(problems)).toEqual(inOrder(expected));
    const warned = documents
      .filter(({ valid, problems: all }) => valid && all.length > 0)
      .map(({ path: file }) => file);
    expect(warned.length).toBeGreaterThan(5);
    expect((await home.run(['validate', ...warned])).exitCode).toBe(0);
    expect((await home.run(['validate', '--strict', ...warned])).exitCode).toBe(65);
  });

  test('what can be repaired is, and the rest is as it was', async () => {
    const home = createHome();
    const expected = write(home);
    appendFileSync(path.join(home.folder, 'runbooks/team-0/Drain0.md'), '# History\n');
    const { exitCode } = await home.run(['validate', '--fix', 'runbooks/**/*.md']);
    expect(exitCode).toBe(65);
    const { documents } = (await home.json(['validate', 'runbooks/**/*.md'])) as {
      documents: { path: string; problems: { rule: string }[] }[];
    };
    const left = documents.flatMap(({ problems }) => problems.map(({ rule }) => rule));
    const repairable = new Set(['section-misspelt', 'key-unknown']);
    expect(left.toSorted()).toEqual(
      expected
        .map(({ rule }) => rule)
        .filter((rule) => !repairable.has(rule))
        .toSorted(),
    );
  });
});
