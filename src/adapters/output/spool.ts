/**
 * Output of runs on disk, one file a run (`output/<runId>`). The first half of the cap is written as it comes; of the
 * rest the last bytes stay in memory and follow at the end, behind a gap that says how many bytes are not there.
 */
import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import type { OutputChunk, OutputSpool, RunOutput } from '../../core/ports.ts';
import type { OutputStream, OutputSummary } from '../../core/run.ts';
import type { Frame } from './frames.ts';
import { decodeFrames, encodeFrame } from './frames.ts';
import { Tail } from './tail.ts';

/** Ids name files here: nothing that could leave the folder. */
const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function createSpool(stateDir: string): RunOutput {
  const folder = join(stateDir, 'output');
  return {
    open(runId, maxBytes) {
      if (!RUN_ID.test(runId)) throw new TypeError(`${JSON.stringify(runId)} cannot name a spool`);
      const path = join(folder, runId);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        return new FileSpool(openSync(path, 'wx', 0o600), path, maxBytes);
      } catch (error) {
        throw cannotWrite(path, error);
      }
    },

    async read(runId) {
      const chunks: OutputChunk[] = [];
      let dropped = 0;
      let gapAt = -1;
      let complete = false;
      for (const { kind, step, payload } of decodeFrames(await readWhole(folder, runId))) {
        if (kind === 'end') complete = true;
        else if (kind === 'gap') {
          dropped = Number(payload.readBigUInt64BE());
          gapAt = chunks.length;
        } else chunks.push({ step, stream: kind, bytes: payload });
      }
      return { chunks, dropped, gapAt, complete };
    },
  };
}

class FileSpool implements OutputSpool {
  readonly #fd: number;
  readonly #path: string;
  readonly #tail: Tail;
  readonly #digest = createHash('sha256');
  /** Bytes of output that may still go to the file at once. */
  #headLeft: number;
  /** Bytes of output, and of the file, that are whole frames on disk. */
  #kept = 0;
  #fileBytes = 0;
  #sequence = 0;
  #bytes = 0;
  #failure: RunbookError | null = null;
  #summary: OutputSummary | null = null;

  constructor(fd: number, path: string, maxBytes: number) {
    this.#fd = fd;
    this.#path = path;
    this.#headLeft = Math.floor(maxBytes / 2);
    this.#tail = new Tail(Math.ceil(maxBytes / 2));
  }

  get failure(): RunbookError | null {
    return this.#failure;
  }

  write(step: number, stream: OutputStream, chunk: Buffer): void {
    if (this.#summary !== null) throw new TypeError('the spool is closed');
    this.#bytes += chunk.length;
    this.#digest.update(chunk);
    const head = chunk.subarray(0, this.#headLeft);
    const isKept = head.length === 0 || this.#append({ kind: stream, step, payload: head });
    // After a failure the end of the output may still find its place, so only the head is given up.
    this.#headLeft = isKept ? this.#headLeft - head.length : 0;
    this.#tail.push(step, stream, isKept ? chunk.subarray(head.length) : chunk);
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
    for (const { step, stream, bytes: payload } of this.#tail.chunks()) {
      isKept &&= this.#append({ kind: stream, step, payload });
    }
    const summary = { bytes, dropped, digest };
    isKept &&= this.#append({ kind: 'end', step: 0, payload: Buffer.from(JSON.stringify(summary)) });
    isKept &&= this.#try(() => fdatasyncSync(this.#fd));
    // A tail without its beginning would read as if it followed the head: all of it or nothing.
    if (!isKept) this.#try(() => ftruncateSync(this.#fd, headBytes));
    this.#try(() => closeSync(this.#fd));
    return isKept ? summary : { ...summary, dropped: bytes - headKept };
  }

  /** Writes one frame whole, or cuts the file back to what it was. @returns whether it is there */
  #append(frame: Omit<Frame, 'sequence'>): boolean {
    const bytes = encodeFrame({ ...frame, sequence: this.#sequence });
    const isWritten = this.#try(() => {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at, null, this.#fileBytes + at);
    });
    if (!isWritten) {
      this.#try(() => ftruncateSync(this.#fd, this.#fileBytes));
      return false;
    }
    this.#sequence += 1;
    this.#fileBytes += bytes.length;
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

async function readWhole(folder: string, runId: string): Promise<Buffer> {
  if (!RUN_ID.test(runId)) return Buffer.alloc(0);
  const path = join(folder, runId);
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw new RunbookError('io', `The output ${path} cannot be read.`, {
      fix: 'See that the file belongs to you and that its disk is whole.',
      cause: error,
    });
  }
}

function cannotWrite(path: string, cause: unknown): RunbookError {
  const code = codeOf(cause) === '' ? '' : ` (${codeOf(cause)})`;
  return new RunbookError('io', `The output ${path} cannot be written${code}.`, {
    fix: 'Make room on that disk and the folder writable, or choose another one with --state-dir.',
    cause,
  });
}
