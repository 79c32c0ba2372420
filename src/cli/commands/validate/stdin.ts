/** `validate -`: the document comes on stdin; with `--fix` it goes on to stdout, repaired. */
import { RunbookError } from '../../../core/errors.ts';
import { messageOf } from '../../../core/failures.ts';
import type { LoadedDocument } from '../../../core/ports.ts';
import type { Terminal } from '../../terminal.ts';
import { STDIN_NAME } from './workspace.ts';

/** As for documents that are files. */
const MAX_BYTES = 64 * 1024 ** 2;

/**
 * Its title is compared with no file name, and its inputs are looked for from the working folder.
 * @throws RunbookError `io`, `runbook-invalid` (too large)
 */
export async function readStdinDocument(terminal: Terminal): Promise<LoadedDocument> {
  if (terminal.interactive) terminal.say('The document is read from this terminal; Ctrl-D ends it, Ctrl-C leaves.');
  return {
    path: STDIN_NAME,
    displayPath: STDIN_NAME,
    fileName: '',
    folder: terminal.cwd,
    bytes: await readAll(terminal),
    stamp: '',
  };
}

async function readAll({ stdin }: Terminal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    const source: AsyncIterable<Buffer> = stdin;
    for await (const chunk of source) {
      length += chunk.length;
      if (length > MAX_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new RunbookError('io', `stdin cannot be read: ${messageOf(error)}.`, {
      fix: 'Pipe the document into it, or name a file.',
      cause: error,
    });
  }
  if (length <= MAX_BYTES) return Buffer.concat(chunks);
  throw new RunbookError('runbook-invalid', 'What comes on stdin has more than 64 MiB; a runbook may not have that.', {
    fix: 'Pipe one runbook into it.',
  });
}
