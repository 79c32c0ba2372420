/** Output may not take the last of a disk: the ledger beside it still has to say how the run ended. */
import { statfsSync } from 'node:fs';

const RESERVED_BYTES = 1024 ** 2;
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
      const { bavail, blocks, bsize } = statfsSync(this.#folder);
      // A file system that counts nothing (0 blocks) says no by itself.
      const free = blocks === 0 ? Infinity : bavail * bsize - RESERVED_BYTES;
      if (free < bytes) throw Object.assign(new Error('the disk is nearly full'), { code: 'ENOSPC' });
      this.#granted = Math.min(free, Math.max(bytes, GRANT_BYTES));
    }
    this.#granted -= bytes;
  }
}
