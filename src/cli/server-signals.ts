/** What signals mean to a server: end; hurry; now. And read the keys again. */

/** Which signal ended it, once one has. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGHUP';

export interface ServerSignals {
  /** The first request to end. Its reason is an `EndingSignal`. */
  readonly end: AbortSignal;
  /** The second one: whoever asks will not wait for runs. */
  readonly hurry: AbortSignal;
  /** The third one: nor for anything else. */
  readonly now: AbortSignal;
}

/**
 * A signal is heard until the process is gone; one that comes after the last stage changes nothing.
 *
 * @param reload called for each SIGHUP; must not throw. Null: there is a terminal, and the signal says that it is closed
 */
export async function withServerSignals<T>(
  reload: (() => void) | null,
  body: (signals: ServerSignals) => Promise<T>,
): Promise<T> {
  const stages = [new AbortController(), new AbortController(), new AbortController()] as const;
  const ask = (signal: EndingSignal) => (): void => {
    stages.find((stage) => !stage.signal.aborted)?.abort(signal);
  };
  const listeners = [
    ['SIGINT', ask('SIGINT')],
    ['SIGTERM', ask('SIGTERM')],
    ['SIGQUIT', ask('SIGQUIT')],
    ['SIGHUP', reload ?? ask('SIGHUP')],
    // The first would open Node's debugger, the second end this process.
    ['SIGUSR1', () => {}],
    ['SIGUSR2', () => {}],
  ] as const;
  for (const [signal, listener] of listeners) process.on(signal, listener);
  const [end, hurry, now] = stages;
  try {
    return await body({ end: end.signal, hurry: hurry.signal, now: now.signal });
  } finally {
    // Node takes its listeners away before it goes by itself, and the next signal would be how it ended.
    process.once('beforeExit', () => process.exit());
  }
}
