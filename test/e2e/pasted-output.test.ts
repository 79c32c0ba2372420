/** What the pages show of a terminal is what a terminal shows: their commands are run, in order, and compared line by line. */
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { BIN, classic, cleanEnvironment, createHome, REPOSITORY } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { codeBlocksOf } from '../helpers/document-text.ts';

interface Pasted {
  readonly command: string;
  readonly output: readonly string[];
}

interface Scene {
  prepare(home: Home): void;
  /** By the number of the command on the page, before it is run. */
  readonly before?: Readonly<Record<number, (home: Home) => void>>;
  readonly env?: Readonly<Record<string, string>>;
}

const textOf = (page: string): string => readFileSync(path.join(REPOSITORY, page), 'utf8');

function pastedIn(page: string): readonly Pasted[] {
  return codeBlocksOf(textOf(page), 'console').flatMap((block) =>
    `\n${block}`
      .split('\n$ ')
      .slice(1)
      .map((part) => {
        const [command = '', ...output] = part.trimEnd().split('\n');
        return { command, output };
      }),
  );
}

/** What is another one each time. A line that is `…` alone stands for any number of lines. */
function normal(text: string): string {
  return text
    .replaceAll(/\b01[0-9A-HJKMNP-TV-Z]{24}\b/gi, 'ID')
    .replaceAll(/[^\s(]*\/(runbook-exec-ID\/work|stubs)\b/g, '…/$1')
    .replaceAll(/\b\d+(?:\.\d+)?(?:ms|s)\b(?! to)/g, 'TIME')
    .replaceAll(/ {2,}(?=TIME|succeeded|failed|skipped)/g, '  ')
    .replaceAll(/\d+ bytes of output are not/g, 'N bytes of output are not')
    .trimEnd();
}

function matches(shown: readonly string[], real: readonly string[]): boolean {
  const [first, ...others] = shown;
  if (first === undefined) return real.length === 0;
  if (first === '…')
    return Array.from({ length: real.length + 1 }, (_, at) => at).some((at) => matches(others, real.slice(at)));
  return first === real[0] && matches(others, real.slice(1));
}

/** As where the program is installed. */
async function atTerminal(home: Home, command: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { PATH = '', ...clean } = cleanEnvironment(home.folder);
  const bin = path.join(home.folder, 'bin');
  const { stdout } = await execa('bash', ['-c', `exec 2>&1; ${command}`], {
    cwd: home.folder,
    env: { ...clean, PATH: [bin, path.dirname(process.execPath), PATH].join(':'), HOST: 'ops-1', ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 100_000,
  });
  return stdout;
}

function program(home: Home, folder: string, name: string, script: string): void {
  mkdirSync(path.join(home.folder, folder), { recursive: true });
  chmodSync(home.write(`${folder}/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
}

const step = (name: string, script: string, keys = ''): string =>
  `## ${name}\n${keys === '' ? '' : `\`\`\`yaml\n${keys}\n\`\`\`\n`}\`\`\`bash\n${script}\n\`\`\`\n\n`;

const LOGIN = `# Login

# Environment Requirements
\`\`\`yaml
DB_PASSWORD: Of the database
SESSION_KEY:
  description: Of this session
  secret: true
  generate: 40
\`\`\`

# Steps

${step(
  'Log in',
  `echo "password: $DB_PASSWORD, base64: $(printf %s "$DB_PASSWORD" | base64)"
echo "postgres://app:$DB_PASSWORD@db-1/shop"
echo "{\\"session\\": \\"$SESSION_KEY\\"}"
token=from-somewhere-else
echo "$token" >>"$RUNBOOK_MASK"
echo "API_TOKEN=$token" >>"$RUNBOOK_OUTPUT"`,
  'outputs: API_TOKEN',
)}${step('Use it', 'echo "Authorization: Bearer $API_TOKEN"\necho "and backwards: $(rev <<<"$DB_PASSWORD")"')}`;

/** A shop on a host: the version that runs there is in a file. */
const SSH =
  'shift; case "$*" in *--version) cat "$HOME/version" ;; *) echo "installing $3"; echo "$3" >"$HOME/version" ;; esac';
const CURL =
  '[ -e "$HOME/down" ] || { echo warm; exit 0; }; echo "curl: (22) The requested URL returned error: 503" >&2; exit 22';

const SCENES: Readonly<Record<string, Scene>> = {
  'docs/steps.md': {
    prepare: (home) => {
      const [deploy = ''] = codeBlocksOf(textOf('docs/steps.md'), 'markdown');
      home.write('runbooks/Deploy.md', `${deploy}\n`);
      home.write('version', '1.4\n');
      home.write('down', '');
      for (const folder of ['bin', 'stubs']) {
        program(home, folder, 'ssh', SSH);
        program(home, folder, 'curl', CURL);
      }
    },
    before: {
      1: (home) => {
        rmSync(path.join(home.folder, 'down'));
      },
    },
  },
  'docs/output.md': {
    prepare: (home) => {
      const script = 'seq -f "line %g" 1000\nsleep 0.5\nseq -f "line %g" 1001 2000';
      home.write(
        'runbooks/Chatty.md',
        `# Chatty\n\n# Limits\n\`\`\`yaml\nmax_output: 1KiB\n\`\`\`\n\n# Steps\n\n${step('Talk', script)}`,
      );
    },
  },
  'docs/environment.md': {
    prepare: (home) => {
      const names =
        "env | cut -d= -f1 | grep -vxE 'PWD|OLDPWD|SHLVL|_|XDG_CACHE_HOME' | sort | tr '\\n' ' ' | fold -sw 100 | sed 's, *$,,'; echo";
      home.write('runbooks/Look.md', classic('Look', `pwd\n${names}`, { env: 'HOST: where' }));
    },
  },
  'docs/secrets.md': {
    prepare: (home) => {
      home.write('runbooks/Login.md', LOGIN);
    },
    env: { DB_PASSWORD: 'hunter2-hunter2' },
  },
  'docs/settings.md': { prepare: () => {} },
};

describe('the terminal on', () => {
  test.each(Object.entries(SCENES))('%s', async (page, scene) => {
    const { before = {}, env = {} } = scene;
    const home = createHome();
    mkdirSync(path.join(home.folder, 'runbooks'));
    mkdirSync(path.join(home.folder, 'bin'));
    symlinkSync(BIN, path.join(home.folder, 'bin/runbook'));
    scene.prepare(home);
    const pasted = pastedIn(page);
    expect(pasted.length).toBeGreaterThan(0);
    for (const [index, { command, output }] of pasted.entries()) {
      before[index]?.(home);
      const real = normal(await atTerminal(home, command, env)).split('\n');
      const shown = normal(output.join('\n')).split('\n');
      // Compared as they are only where they differ: that shows what does.
      if (!matches(shown, real)) expect(real.join('\n'), `${page}: ${command}`).toBe(shown.join('\n'));
    }
  });

  test('a page that shows something else would be found', () => {
    expect(matches(['a', '…', 'd'], ['a', 'b', 'c', 'd'])).toBe(true);
    expect(matches(['a', '…', 'd'], ['a', 'b', 'c'])).toBe(false);
    expect(matches(['a'], ['a', 'b'])).toBe(false);
  });
});
