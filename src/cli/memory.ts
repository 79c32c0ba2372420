/** What passes through is garbage at once, and V8 has no reason of its own to hurry. */

// Loaded when it is first needed: most commands print little.
const setFlags = (flags: string): void => process.getBuiltinModule('node:v8').setFlagsFromString(flags);

/** A collection of the young takes less than a millisecond, and so much output not much more. */
const EVERY_BYTES = 8 * 1024 ** 2;

let isYoungKeptSmall = false;

/**
 * For texts, which are V8's own: its young generation grows to 60 MiB while they pass (measured), and stays as it is from
 * here on. A hint that changes nothing but memory; a V8 that does not know it says so on stderr, and a test sees that.
 */
export function keepYoungSmall(): void {
  if (isYoungKeptSmall) return;
  isYoungKeptSmall = true;
  setFlags('--semi-space-growth-factor=1');
  // V8's own value. Code that is compiled under other flags than those of the next start would be refused there (ADR 60).
  process.prependOnceListener('exit', () => setFlags('--semi-space-growth-factor=2'));
}

/**
 * To be told of every chunk that has passed: now and then the chunks before it are collected. They lie outside of V8's
 * heap, where they count for little, and left to itself it keeps 25 to 65 MiB of them, the more the faster they come
 * (measured). A process may be allowed no more than that.
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
  setFlags('--expose-gc');
  const found: unknown = process.getBuiltinModule('node:vm').runInNewContext('globalThis.gc');
  setFlags('--no-expose-gc');
  return typeof found === 'function' ? (options) => void found(options) : () => {};
}
