/**
 * Writes lines to a file descriptor without waiting for it. A reader that is gone, that does not read, or a disk that is
 * full costs lines of the log, and nothing else. (The writer that comes with pino tries a full disk again for ever when the
 * process ends.)
 */
import { write } from 'node:fs';
import type { DestinationStream } from 'pino';
import { codeOf } from '../core/failures.ts';

/** What waits for a reader that does not read; beyond that lines are lost. */
const MAX_WAITING_BYTES = 4 * 1024 ** 2;
const AGAIN_MS = 50;

export function logTo(fd: number): DestinationStream {
  let waiting: Buffer[] = [];
  let bytes = 0;
  let isWriting = false;

  const writeAll = (batch: Buffer): void => {
    write(fd, batch, 0, batch.length, null, (error, written) => {
      if (error !== null && codeOf(error) === 'EAGAIN') {
        setTimeout(() => writeAll(batch), AGAIN_MS);
        return;
      }
      if (error === null && written < batch.length) {
        writeAll(batch.subarray(written));
        return;
      }
      // What it did not take is lost; the next line may find room again.
      bytes = waiting.reduce((sum, one) => sum + one.length, 0);
      isWriting = false;
      next();
    });
  };
  const next = (): void => {
    if (isWriting || waiting.length === 0) return;
    isWriting = true;
    const batch = Buffer.concat(waiting);
    waiting = [];
    writeAll(batch);
  };

  return {
    write: (line) => {
      const one = Buffer.from(line);
      if (bytes + one.length > MAX_WAITING_BYTES) return;
      waiting.push(one);
      bytes += one.length;
      next();
    },
  };
}
