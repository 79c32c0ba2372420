/** One file of the inputs, from one descriptor to another; and how copying says no. */
import type { FileHandle } from 'node:fs/promises';
import { RunbookError } from '../../core/errors.ts';

const CHUNK_BYTES = 1024 ** 2;

/**
 * Copies what the file had when it was opened, and no more: it may be growing.
 * @throws RunbookError `busy` when the signal says so in between; system errors
 */
export async function pump(
  source: FileHandle,
  target: FileHandle,
  { size, mode }: { readonly size: number; readonly mode: number },
  signal: AbortSignal,
): Promise<void> {
  const chunk = Buffer.allocUnsafe(Math.min(size, CHUNK_BYTES));
  for (let left = size; left > 0;) {
    throwIfStopped(signal);
    const { bytesRead } = await source.read(chunk, 0, Math.min(left, chunk.length), null);
    if (bytesRead === 0) break;
    left -= bytesRead;
    for (let done = 0; done < bytesRead;) done += (await target.write(chunk, done, bytesRead - done)).bytesWritten;
  }
  // A key stays private (`ssh` wants that) and a tool executable. The copy is the run's own, so it can be written to.
  await target.chmod((mode & 0o777) | 0o600);
}

/** @throws RunbookError `busy` */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new RunbookError('busy', 'The run was stopped while its inputs were copied.', { fix: '' });
}

export function unmet(message: string, fix: string): RunbookError {
  return new RunbookError('requirements-unmet', message, { fix });
}
