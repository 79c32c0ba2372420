/** How many streams of events each subject reads at once. */
import type { Identity } from '../../core/ports.ts';
import { HttpError } from '../problem.ts';

export interface Streams {
  readonly count: number;
  /** @returns what ends it @throws HttpError 429 beyond the limit */
  open(identity: Identity): () => void;
}

export function createStreams(most: number): Streams {
  const open = new Map<string, number>();
  let count = 0;
  const add = (key: string, change: 1 | -1): void => {
    const now = (open.get(key) ?? 0) + change;
    if (now === 0) open.delete(key);
    else open.set(key, now);
    count += change;
  };
  return {
    get count() {
      return count;
    },
    open: ({ issuer, subject }) => {
      const key = JSON.stringify([issuer, subject]);
      if ((open.get(key) ?? 0) >= most) {
        throw new HttpError(429, 'busy', `More than ${most} streams of events at once are not for one caller.`, {
          fix: 'Close one of them first.',
        });
      }
      add(key, 1);
      let isOpen = true;
      return () => {
        if (isOpen) add(key, -1);
        isOpen = false;
      };
    },
  };
}
