/** Which documents there are, by their names: for whoever has to know it of requests that nobody has let in. */
import { RunbookError } from '../core/errors.ts';
import type { Clock, RunbookSource } from '../core/ports.ts';

/** File names with `.md`; none where the folder cannot be read. */
export type KnownNames = () => Promise<ReadonlySet<string>>;

/** A flood of requests does not make a flood of looks. */
const HOLDS_MS = 1000;

export function createKnownNames(source: Pick<RunbookSource, 'names'>, clock: Clock): KnownNames {
  let answer: Promise<ReadonlySet<string>> = Promise.resolve(new Set());
  let until = -Infinity;
  return async () => {
    const now = clock.monotonicMs();
    if (now >= until) {
      until = now + HOLDS_MS;
      answer = source.names().then(
        (names) => new Set(names.map((name) => `${name}.md`)),
        (error: unknown) => {
          if (error instanceof RunbookError) return new Set<string>();
          throw error;
        },
      );
    }
    return await answer;
  };
}
