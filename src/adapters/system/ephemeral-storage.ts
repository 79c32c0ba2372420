/** Storage that is gone with the machine or the container that it was made for. */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../core/failures.ts';

/** statfs(2), `f_type`. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [0x01_02_19_94, 'tmpfs'],
  [0x85_84_58_f6, 'ramfs'],
  // The writable layer of a container.
  [0x79_4c_76_30, 'overlay'],
]);

/** Where a file or folder is or, not there yet, will be. @returns its kind; null where it stays, or nobody can tell */
export async function ephemeralStorage(place: string): Promise<string | null> {
  try {
    return ephemeralKind((await statfs(place)).type);
  } catch (error) {
    const parent = path.dirname(place);
    return codeOf(error) === 'ENOENT' && parent !== place ? await ephemeralStorage(parent) : null;
  }
}

/** @param type of statfs(2), signed or unsigned */
export function ephemeralKind(type: number): string | null {
  return KINDS.get(type >>> 0) ?? null;
}
