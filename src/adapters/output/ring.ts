/** Room of a fixed size that is written round and round: in memory while it is small, else in a file. */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import type { Room } from './room.ts';

/** More than this is not held in memory, whatever cap is declared. */
export const MAX_IN_MEMORY_BYTES = 8 * 1024 ** 2;

export interface Ring {
  readonly capacity: number;
  /** `at` and what follows stay within the capacity. @throws Error of the system, for a file */
  write(at: number, bytes: Buffer): void;
  read(at: number, out: Buffer): void;
  close(): void;
}

/** @param path of the file, where one is needed: made at the first write, and without a name from then on */
export function createRing(capacity: number, path: string, room: Room): Ring {
  return capacity <= MAX_IN_MEMORY_BYTES ? memoryRing(capacity) : fileRing(capacity, path, room);
}

export function memoryRing(capacity: number): Ring {
  let memory: Buffer | null = null;
  return {
    capacity,
    write: (at, bytes) => {
      memory ??= Buffer.alloc(capacity);
      bytes.copy(memory, at);
    },
    read: (at, out) => {
      memory?.copy(out, 0, at, at + out.length);
    },
    close: () => {
      memory = null;
    },
  };
}

function fileRing(capacity: number, path: string, room: Room): Ring {
  let fd: number | null = null;
  let size = 0;
  const open = (): number => {
    const opened = openSync(path, 'wx+', 0o600);
    // Without a name it is gone with the process, however that ends.
    unlinkSync(path);
    return opened;
  };
  return {
    capacity,
    write: (start, bytes) => {
      fd ??= open();
      const end = start + bytes.length;
      if (end > size) room.take(end - size);
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, null, start + at);
      size = Math.max(size, end);
    },
    read: (start, out) => {
      const file = (fd ??= open());
      for (let at = 0; at < out.length;) {
        const count = readSync(file, out, at, out.length - at, start + at);
        if (count === 0) throw new Error('the end of the output is not where it was written');
        at += count;
      }
    },
    close: () => {
      if (fd !== null) closeSync(fd);
      fd = null;
    },
  };
}
