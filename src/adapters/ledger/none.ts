/** `--history none`: nothing is kept. The face says so before the run. */
import type { RunLedger } from '../../core/ports.ts';

export function createNoLedger(): RunLedger {
  const nothing = async (): Promise<void> => {};
  return {
    enqueue: nothing,
    begin: nothing,
    finish: nothing,
    refuse: nothing,
    get: async () => null,
    list: async () => [],
    documentText: async () => null,
    close: () => {},
  };
}
