/** What passes through is garbage at once, and V8 lets it lie: outside of its heap, where it counts for little. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A collection of the young takes less than a millisecond, and so much output not much more. */
const EVERY_BYTES = 8 * 1024 ** 2;

/**
 * To be told of every chunk that has passed: now and then the chunks before it are collected. Left to itself V8 keeps
 * 25 to 65 MiB of them, the more the faster they come (measured); a process may be allowed no more than that.
 */
export function createSweeper(): (bytes: number) => void {
  let passed = 0;
  let collect: ((options: { readonly type: 'minor' }) => void) | null = null;
  return (bytes) => {
    passed += bytes;
    if (passed < EVERY_BYTES) return;
    passed = 0;
    collect ??= exposedCollector();
    collect({ type: 'minor' });
  };
}

/** Only a context that is made while the flag is set has it. */
function exposedCollector(): (options: { readonly type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (options) => void found(options) : () => {};
}
