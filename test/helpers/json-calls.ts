/** Commands in situations that take some preparation. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { classic, KILL_RUNNER } from './cli.ts';
import type { Home } from './cli.ts';

export const SECRET = 'an-obvious-secret-of-more-than-32-bytes';
export const AUTH = { RUNBOOK_JWT_SECRET: SECRET };

export interface Call {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** As for `Home.run`. */
  readonly termAt?: string;
  /** What is still to be done when the command has ended. */
  readonly after?: () => Promise<void>;
}

/** Signals are listened to before the folder is made; one that comes before it takes requests ends it as soon as it does. */
export const serving = (env: Readonly<Record<string, string>>): Call => ({
  args: ['serve', '--host', '127.0.0.1', '--port', '0'],
  env,
  termAt: '.local/state/runbook',
});

export const execute = (home: Home, document: string, ...args: readonly string[]): Call => {
  home.write('Task.md', document);
  return { args: ['execute', './Task.md', '--history', 'ledger', ...args] };
};

/** A document that uses nearly everything there is. */
export const STEPS = [
  '# Task',
  '',
  'Restarts it.',
  '',
  '# Metadata',
  '```yaml\nowner: team-a\nservice: shop\ntags: [db, restart]\nseverity: low\nreview_by: 2999-01-31\n```',
  '',
  '# Environment Requirements',
  '```yaml',
  'HOST:\n  description: which one\n  pattern: "[a-z]+-[0-9]+"\n  default: db-1',
  'COLOUR:\n  choices: [red, green]\n  default: red',
  'PASSWORD:\n  secret: true\n  generate: 20',
  '```',
  '',
  '# Required Claims',
  '```yaml\n- roles: [sre, dba]\n- team: core\n```',
  '',
  '# Limits',
  '```yaml\ntimeout: 1m\nmax_output: 1MiB\nconcurrency: 1\n```',
  '',
  '# Steps',
  '',
  '## Ask',
  '```yaml\ntimeout: 10s\noutputs: [PLACE]\n```',
  '```sh\necho PLACE=here >> "$RUNBOOK_OUTPUT"\necho asked\n```',
  '### Done when',
  '```sh\ntrue\n```',
  '### Rollback',
  '```sh\ntrue\n```',
  '',
  '## Break',
  '```python\nraise SystemExit(4)\n```',
  '',
  '## Never',
  '```sh\ntrue\n```',
  '',
].join('\n');

/** Its second step wants a confirmation. */
export const CONFIRMED =
  '# Task\n\n# Steps\n\n## One\n```sh\n:\n```\n\n## Two\n```yaml\nconfirm: Sure?\n```\n```sh\ntrue\n```\n';

/** A run whose runner was killed in the middle of its second step. */
export async function orphan(home: Home): Promise<void> {
  home.write(
    'Task.md',
    `# Task\n\n# Steps\n\n## One\n\`\`\`sh\n:\n\`\`\`\n\n## Two\n\`\`\`sh\n${KILL_RUNNER}\n\`\`\`\n`,
  );
  await home.run(['execute', './Task.md', '--history', 'ledger', '--keep-workdir', 'never']);
}

/** A run that goes on until it is let go; nobody else may run the same meanwhile. */
export async function underWay(home: Home): Promise<() => Promise<void>> {
  const wait = 'touch "$HOME/begun"\nfor _ in $(seq 300); do [ -e "$HOME/go" ] && exit; sleep 0.1; done';
  home.write(
    'Task.md',
    classic('Task', wait).replace('# Script', '# Limits\n```yaml\nconcurrency: 1\n```\n\n# Script'),
  );
  const run = home.run(['execute', './Task.md', '--history', 'ledger']);
  for (let tries = 0; tries < 1000 && !existsSync(path.join(home.folder, 'begun')); tries += 1) await delay(100);
  return async () => {
    home.write('go', '');
    await run;
  };
}

/** @returns the file of a token for anna */
export async function mint(home: Home, ...args: readonly string[]): Promise<string> {
  const { token } = await home.json(['token', 'mint', '--subject', 'anna', ...args], { env: AUTH });
  return home.write('token', String(token));
}
