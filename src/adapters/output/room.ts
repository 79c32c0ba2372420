/** Output may not take the last of a disk: the ledger beside it still has to say how the run ended. */
import { statfsSync } from 'node:fs';
import { LEFT_FOR_LEDGER } from '../../core/room.ts';
import { freeBytesOf } from '../system/free-bytes.ts';

/** Asked anew after so many bytes, since others write there too. */
const GRANT_BYTES = 256 * 1024;

export class Room {
  readonly #folder: string;
  #granted = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** To be called before so many bytes are written. @throws Error ENOSPC, although the disk would take some of them */
  take(bytes: number): void {
    if (this.#granted < bytes) {
      // A file system that counts nothing says no by itself.
      const free = (freeBytesOf(statfsSync(this.#folder)) ?? Infinity) - LEFT_FOR_LEDGER;
      if (free < bytes) throw Object.assign(new Error('the disk is nearly full'), { code: 'ENOSPC' });
      this.#granted = Math.min(free, Math.max(bytes, GRANT_BYTES));
    }
    this.#granted -= bytes;
  }
}
