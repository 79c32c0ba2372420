/** Where the token comes from. Never from a flag's value: arguments show in `ps` and in the shell's history. */
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { RunbookError } from '../core/errors.ts';
import type { Terminal } from './terminal.ts';

export interface TokenOptions {
  readonly token?: string;
  readonly tokenFile?: string;
}

const MAX_TOKEN_FILE_BYTES = 64 * 1024;

/** `--token-file`, `--token -`, the setting (RUNBOOK_TOKEN), or, inside of a script, the token of the run; null for none. */
export async function readToken(
  terminal: Terminal,
  options: TokenOptions,
  setting: string | null,
): Promise<string | null> {
  const { tokenFile: file = null, token: flag = null } = options;
  if (file !== null && flag !== null)
    throw new RunbookError('usage', '--token and --token-file are both given.', { fix: 'Give one of them.' });
  if (flag !== null && flag !== '-') {
    throw new RunbookError(
      'usage',
      '--token takes only “-”: a token on the command line can be seen by everybody on this machine.',
      { fix: 'Use --token-file FILE, --token - (stdin), or RUNBOOK_TOKEN.' },
    );
  }
  if (flag === '-') return nonEmpty(await fromStdin(terminal), 'stdin');
  if (file !== null) return nonEmpty(fromFile(file, terminal.cwd), file);
  const inherited = terminal.environment.get('RUNBOOK_API_TOKEN') ?? '';
  return setting ?? (inherited === '' ? null : inherited);
}

async function fromStdin(terminal: Terminal): Promise<string> {
  const text = await readAll(terminal.stdin, MAX_TOKEN_FILE_BYTES);
  if (text === null)
    throw new RunbookError('usage', 'What comes on stdin is too large for a token.', {
      fix: 'Pipe the token alone into it.',
    });
  return text;
}

function fromFile(file: string, cwd: string): string {
  const absolute = path.resolve(cwd, file);
  try {
    const { size } = statSync(absolute);
    if (size > MAX_TOKEN_FILE_BYTES)
      throw new RunbookError('usage', `${file} is too large for a token.`, {
        fix: 'Name the file that holds the token alone.',
      });
    return readFileSync(absolute, 'utf8');
  } catch (error) {
    if (error instanceof RunbookError) throw error;
    throw new RunbookError('not-found', `The token file ${file} cannot be read.`, {
      fix: 'Check the path and its permissions.',
      cause: error,
    });
  }
}

function nonEmpty(text: string, where: string): string {
  const token = text.trim();
  if (token !== '') return token;
  throw new RunbookError('unauthenticated', `There is no token in ${where}.`, {
    fix: 'Check the command that makes the token.',
  });
}

/** Reads a stream to its end. @returns null when it has more than `maxBytes` */
async function readAll(stream: Readable, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) stream.destroy();
    else chunks.push(chunk);
  });
  await once(stream, 'close');
  return bytes > maxBytes ? null : Buffer.concat(chunks).toString('utf8');
}
