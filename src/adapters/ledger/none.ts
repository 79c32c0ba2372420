/** `--history none`: nothing is kept. The face says so before the run. Also what is asked before the first run of all. */
import type { RunLedger } from '../../core/ports.ts';

export function createNoLedger(): RunLedger {
  const nothing = async (): Promise<void> => {};
  const no = async (): Promise<boolean> => false;
  const none = async (): Promise<never[]> => [];
  return {
    enqueue: nothing,
    begin: nothing,
    admission: none,
    finish: nothing,
    refuse: nothing,
    interrupt: no,
    report: async () => 'recorded',
    get: async () => null,
    list: none,
    latestOf: async () => new Map(),
    documentText: async () => null,
    runbookNames: none,
    underWay: none,
    progress: nothing,
    claimRecovery: no,
    renewLease: async () => true,
    requestCancel: no,
    cancelRequest: async () => null,
    pause: nothing,
    resume: no,
    paused: async () => null,
    tryChange: nothing,
    operations: none,
    cancelsOf: none,
    pendingEntries: none,
    isEntryPending: no,
    claimEntry: no,
    entryWritten: nothing,
    forgetEntry: nothing,
    indexOutput: nothing,
    searchOutput: async function* () {},
    isOutputGone: no,
    countWithoutOutput: async () => 0,
    copyOf: async () => null,
    moveIn: async () => null,
    links: () => [],
    endedBefore: none,
    prune: async () => null,
    forgetDocuments: async () => 0,
    forgetOutput: nothing,
    takeTurn: no,
    copyTo: nothing,
    close: () => {},
  };
}
