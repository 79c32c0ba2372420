/** Where the token comes from. Never from a flag's value: arguments show in `ps` and in the shell's history. */
import type { Readable } from 'node:stream';
import type { App } from '../app.ts';
import { RunbookError } from '../core/errors.ts';
import type { Terminal } from './terminal.ts';
import { readTextFile } from './text-file.ts';

export interface TokenOptions {
  readonly token?: string;
  readonly tokenFile?: string;
}

const MAX_TOKEN_FILE_BYTES = 64 * 1024;

const JOB_IDENTITY = /^github-oidc(?::(.+))?$/s;

/**
 * `--token-file`, `--token -`, `--token github-oidc[:audience]`, the setting (RUNBOOK_TOKEN), or, inside of a script, the token of the run; null for
 * none. Empty where one was to be: the engine refuses that, and says what the runbook needs.
 */
export async function readToken(
  terminal: Terminal,
  options: TokenOptions,
  app: Pick<App, 'settings' | 'jobToken'>,
): Promise<string | null> {
  const { tokenFile: file = null, token: flag = null } = options;
  if (file !== null && flag !== null)
    throw new RunbookError('usage', '--token and --token-file are both given.', { fix: 'Give one of them.' });
  const job = flag === null ? null : JOB_IDENTITY.exec(flag);
  if (job !== null) return await app.jobToken(job[1] ?? null);
  if (flag !== null && flag !== '-') {
    throw new RunbookError(
      'usage',
      '--token takes only “-” or “github-oidc”: a token on the command line can be seen by everybody on this machine.',
      {
        fix: 'Use --token-file FILE, --token - (stdin), --token github-oidc (a job of GitHub Actions), or RUNBOOK_TOKEN.',
      },
    );
  }
  if (flag === '-') return (await fromStdin(terminal)).trim();
  if (file !== null) return readTextFile(file, terminal.cwd, '--token-file', MAX_TOKEN_FILE_BYTES).trim();
  const inherited = terminal.environment.get('RUNBOOK_API_TOKEN') ?? '';
  return app.settings.token ?? (inherited === '' ? null : inherited);
}

async function fromStdin(terminal: Terminal): Promise<string> {
  if (terminal.interactive) terminal.say('The token is read from this terminal; Ctrl-D ends it, Ctrl-C leaves.');
  const text = await readAll(terminal.stdin, MAX_TOKEN_FILE_BYTES);
  if (text === null)
    throw new RunbookError('usage', 'What comes on stdin is too large for a token.', {
      fix: 'Pipe the token alone into it.',
    });
  return text;
}

/** Reads a stream to its end. @returns null when it has more than `maxBytes` */
async function readAll(stream: Readable, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const source: AsyncIterable<Buffer> = stream;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
