/**
 * Output of runs on disk, one file a run (`output/<runId>`). The first half of the cap is written as it comes; of the
 * rest the last bytes are held (ring.ts) and follow at the end, behind a gap that says how many bytes are not there.
 * Memory follows neither the output nor the cap.
 */
import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, ftruncateSync, futimesSync, openSync, writeSync, writevSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import type { OutputSpool, RunOutput } from '../../core/ports.ts';
import type { OutputStream, OutputSummary } from '../../core/run.ts';
import type { Frame } from './frames.ts';
import { encodeFrame, MAX_PAYLOAD_BYTES } from './frames.ts';
import { createKept, RUN_ID } from './kept.ts';
import { createRing, MAX_IN_MEMORY_BYTES, memoryRing } from './ring.ts';
import { Room } from './room.ts';
import { Tail } from './tail.ts';
import { makeFolders } from '../system/make-folders.ts';

const SMALL_FRAME_BYTES = 4096;
/** How often the file is touched while nothing is written to it: whoever looks after a run sees that it still prints. */
const TOUCH_MS = 1000;

export function createSpool(stateDir: string): RunOutput {
  const folder = join(stateDir, 'output');
  return {
    open(runId, maxBytes) {
      if (!RUN_ID.test(runId)) throw new TypeError(`${JSON.stringify(runId)} cannot name a spool`);
      const path = join(folder, runId);
      try {
        makeFolders(folder, 0o700);
        return new FileSpool(openSync(path, 'wx', 0o600), path, maxBytes);
      } catch (error) {
        throw cannotWrite(path, error);
      }
    },

    ...createKept(folder),
  };
}

class FileSpool implements OutputSpool {
  readonly #fd: number;
  readonly #path: string;
  readonly #room: Room;
  #tail: Tail;
  readonly #digest = createHash('sha256');
  /** Bytes of output that may still go to the file at once. */
  #headLeft: number;
  /** Bytes of output, and of the file, that are whole frames on disk. */
  #kept = 0;
  #fileBytes = 0;
  #sequence = 0;
  #bytes = 0;
  #touchedAt = 0;
  #failure: RunbookError | null = null;
  #summary: OutputSummary | null = null;

  constructor(fd: number, path: string, maxBytes: number) {
    this.#fd = fd;
    this.#path = path;
    this.#room = new Room(dirname(path));
    this.#headLeft = Math.floor(maxBytes / 2);
    this.#tail = new Tail(createRing(Math.ceil(maxBytes / 2), `${path}.tail`, this.#room));
  }

  get failure(): RunbookError | null {
    return this.#failure;
  }

  write(step: number, stream: OutputStream, chunk: Buffer): void {
    if (this.#summary !== null) throw new TypeError('the spool is closed');
    this.#bytes += chunk.length;
    this.#digest.update(chunk);
    let at = 0;
    while (this.#headLeft > 0 && at < chunk.length) {
      const payload = chunk.subarray(at, at + Math.min(this.#headLeft, MAX_PAYLOAD_BYTES));
      const isKept = this.#append({ kind: stream, step, payload });
      // After a failure the end of the output may still find its place, so only the head is given up.
      this.#headLeft = isKept ? this.#headLeft - payload.length : 0;
      if (isKept) at += payload.length;
    }
    this.#hold(step, stream, chunk.subarray(at));
  }

  #hold(step: number, stream: OutputStream, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#touch();
    if (
      this.#try(() => {
        this.#tail.push(step, stream, bytes);
      })
    )
      return;
    // Its file may have holes now. The last bytes matter most, and memory has room for some of them.
    this.#try(() => {
      this.#tail.close();
    });
    this.#tail = new Tail(memoryRing(MAX_IN_MEMORY_BYTES));
    this.#tail.push(step, stream, bytes);
  }

  #touch(): void {
    const now = Date.now();
    if (Math.abs(now - this.#touchedAt) < TOUCH_MS) return;
    this.#touchedAt = now;
    try {
      futimesSync(this.#fd, now / 1000, now / 1000);
    } catch {
      // Nothing of the output depends on it.
    }
  }

  close(): OutputSummary {
    this.#summary ??= this.#finish();
    return this.#summary;
  }

  #finish(): OutputSummary {
    const [digest, bytes] = [this.#digest.digest('hex'), this.#bytes];
    const [headKept, headBytes] = [this.#kept, this.#fileBytes];
    const dropped = bytes - this.#kept - this.#tail.bytes;
    const gap = Buffer.alloc(8);
    gap.writeBigUInt64BE(BigInt(dropped));

    let isKept = dropped === 0 || this.#append({ kind: 'gap', step: 0, payload: gap });
    isKept &&= this.#appendTail();
    const summary = { bytes, dropped, digest };
    isKept &&= this.#append({ kind: 'end', step: 0, payload: Buffer.from(JSON.stringify(summary)) });
    isKept &&= this.#try(() => fdatasyncSync(this.#fd));
    // A tail without its beginning would read as if it followed the head: all of it or nothing.
    if (!isKept) this.#try(() => ftruncateSync(this.#fd, headBytes));
    this.#try(() => closeSync(this.#fd));
    this.#try(() => this.#tail.close());
    return isKept ? summary : { ...summary, dropped: bytes - headKept };
  }

  #appendTail(): boolean {
    let isKept = true;
    const isRead = this.#try(() => {
      for (const { step, stream, bytes: payload } of this.#tail.chunks()) {
        isKept &&= this.#append({ kind: stream, step, payload });
        if (!isKept) return;
      }
    });
    return isRead && isKept;
  }

  /** Writes one frame whole, or cuts the file back to what it was. @returns whether it is there */
  #append(frame: Omit<Frame, 'sequence'>): boolean {
    const parts = encodeFrame({ ...frame, sequence: this.#sequence });
    const length = parts[0].length + parts[1].length;
    const isWritten = this.#try(() => {
      this.#room.take(length);
      // A small frame is put together faster than two buffers are handed over.
      let at = length < SMALL_FRAME_BYTES ? 0 : writevSync(this.#fd, parts, this.#fileBytes);
      if (at === length) return;
      const whole = Buffer.concat(parts);
      while (at < length) at += writeSync(this.#fd, whole, at, null, this.#fileBytes + at);
    });
    if (!isWritten) {
      this.#try(() => ftruncateSync(this.#fd, this.#fileBytes));
      return false;
    }
    this.#sequence += 1;
    this.#fileBytes += length;
    this.#kept += frame.kind === 'stdout' || frame.kind === 'stderr' ? frame.payload.length : 0;
    return true;
  }

  /** A full disk must not end the run: the first error is kept for the record, the run goes on. */
  #try(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#failure ??= cannotWrite(this.#path, error);
      return false;
    }
  }
}

function cannotWrite(path: string, cause: unknown): RunbookError {
  const code = codeOf(cause) === '' ? '' : ` (${codeOf(cause)})`;
  return new RunbookError('io', `The output ${path} cannot be written${code}.`, {
    fix: 'Make room on that disk and the folder writable, or choose another one with --state-dir.',
    cause,
  });
}
