/** A disk without room, which SQLite tells in many words: told in one sentence. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf } from '../../core/failures.ts';
import { DISK_FULL, NEEDED_FOR_RUN } from '../../core/room.ts';
import { formatBytes } from '../../core/units.ts';
import { freeBytesOf } from '../system/free-bytes.ts';

/** Bytes; with less SQLite cannot lay its shared memory beside a file, nor grow it, and says one thing or another. */
const LITTLE = 128 * 1024;

/** Null where something else is in the way. */
export function asDiskFull(path: string, error: unknown): RunbookError | null {
  const code = codeOf(error);
  const isSaid = /^(?:SQLITE_FULL|ENOSPC|EDQUOT)$/.test(code);
  if (!isSaid && !(/^SQLITE_(?:IOERR|CANTOPEN)/.test(code) && hasLittle(dirname(path)))) return null;
  return new RunbookError('io', `There is no space left on the disk for the ledger ${path}.`, {
    fix: `Free at least ${formatBytes(NEEDED_FOR_RUN)} on the disk of ${dirname(path)}, then try again.`,
    reason: DISK_FULL,
    cause: error,
  });
}

function hasLittle(folder: string): boolean {
  try {
    return (freeBytesOf(statfsSync(folder)) ?? Infinity) < LITTLE;
  } catch {
    return false;
  }
}
