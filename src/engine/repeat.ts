/** Work that comes back while a run is under way. */

/**
 * Does `work` every so often, never twice at once; whether it fails is its own matter: it must not throw.
 * @returns what ends that; resolves when the last time is over
 */
export function repeat(everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | null = null;
  const timer = setInterval(() => {
    current ??= work().finally(() => {
      current = null;
    });
  }, everyMs);
  // It looks after something; nothing waits for it.
  timer.unref();
  return async () => {
    clearInterval(timer);
    await current;
  };
}
