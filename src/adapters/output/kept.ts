/** What lies in the folder of the spools: read to its end, followed while it grows, counted, removed. */
import { open, readdir, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import type { KeptOutput, OutputFacts, RunOutput } from '../../core/ports.ts';
import type { OutputSummary } from '../../core/run.ts';
import { readFrames } from './frames.ts';

/** Ids name files here: nothing that could leave the folder. */
export const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** How soon somebody who follows a run sees what is new. */
const POLL_MS = 100;

export function createKept(folder: string): Pick<RunOutput, 'read' | 'follow' | 'facts' | 'kept' | 'sync' | 'remove'> {
  const factsOf = async (runId: string): Promise<OutputFacts | null> => {
    const file = path.join(folder, runId);
    try {
      const { size, mtime } = await stat(file);
      return { runId, bytes: size, lastWriteAt: mtime };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw cannot('read', file, error);
    }
  };
  return {
    async *read(runId) {
      if (!RUN_ID.test(runId)) return;
      const file = path.join(folder, runId);
      yield* items(file, await opened(file), async () => false);
    },

    async *follow(runId, signal) {
      if (!RUN_ID.test(runId)) return;
      const file = path.join(folder, runId);
      const isWorthWaiting = async (): Promise<boolean> => {
        await delay(POLL_MS, null, { signal }).catch(() => {});
        return !signal.aborted;
      };
      let handle = await opened(file);
      // Looked for once more when waiting is over, as in `items`.
      for (let isLast = false; handle === null && !isLast; handle = await opened(file))
        isLast = !(await isWorthWaiting());
      yield* items(file, handle, isWorthWaiting);
    },

    facts: async (runId) => (RUN_ID.test(runId) ? await factsOf(runId) : null),

    async kept() {
      const names = await readdir(folder).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return [];
        throw cannot('read', folder, error);
      });
      const all: OutputFacts[] = [];
      for (const name of names.filter((one) => RUN_ID.test(one))) {
        const facts = await factsOf(name);
        if (facts !== null) all.push(facts);
      }
      return all;
    },

    async sync(runId) {
      if (!RUN_ID.test(runId)) return;
      const file = path.join(folder, runId);
      const handle = await opened(file);
      try {
        await handle?.datasync();
      } catch (error) {
        // A file system that cannot be written has nothing to write.
        if (codeOf(error) !== 'EROFS' && codeOf(error) !== 'EINVAL') throw cannot('read', file, error);
      } finally {
        await handle?.close();
      }
    },

    async remove(runId) {
      if (!RUN_ID.test(runId)) return;
      const file = path.join(folder, runId);
      await unlink(file).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw cannot('remove', file, error);
      });
    },
  };
}

async function opened(file: string): Promise<FileHandle | null> {
  try {
    return await open(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw cannot('read', file, error);
  }
}

/** @param isWorthWaiting asked at the end of the file: whether to look for more */
async function* items(
  file: string,
  handle: FileHandle | null,
  isWorthWaiting: () => Promise<boolean>,
): AsyncGenerator<KeptOutput> {
  if (handle === null) return;
  const more = async (into: Buffer): Promise<number> => {
    for (let isLast = false; ; isLast = !(await isWorthWaiting())) {
      const { bytesRead } = await handle.read(into);
      // Once more when waiting is over: what came between the look before and the end of the run is not to be missed.
      if (bytesRead > 0 || isLast) return bytesRead;
    }
  };
  try {
    const frames = readFrames(more);
    let hasEnded = false;
    let next = await frames.next();
    for (; next.done !== true; next = await frames.next()) {
      const { kind, step, payload } = next.value;
      hasEnded = kind === 'end';
      if (kind === 'end') yield { kind, summary: summaryOf(payload) };
      else if (kind === 'gap') yield { kind, dropped: Number(payload.readBigUInt64BE()) };
      else yield { kind: 'chunk', step, stream: kind, bytes: payload };
    }
    // Nobody waits for what is behind the end.
    const goesOn = hasEnded && (await handle.read(Buffer.alloc(1))).bytesRead > 0;
    if (goesOn || !next.value) yield { kind: 'foreign' };
  } catch (error) {
    throw cannot('read', file, error);
  } finally {
    await handle.close();
  }
}

function summaryOf(payload: Buffer): OutputSummary | null {
  try {
    // Written by `spool.ts`; whoever compares it finds what is something else.
    const summary: OutputSummary | null = JSON.parse(payload.toString('utf8'));
    return summary;
  } catch {
    return null;
  }
}

function cannot(what: 'read' | 'remove', file: string, cause: unknown): RunbookError {
  const why = codeOf(cause) === '' ? '' : ` (${codeOf(cause)})`;
  return new RunbookError('io', `The output ${file} cannot be ${what === 'read' ? 'read' : 'removed'}${why}.`, {
    fix: 'See that the file belongs to you and that its disk is whole.',
    cause,
  });
}
