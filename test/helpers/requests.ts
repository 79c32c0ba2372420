/** What a face asks for where nobody has said anything else. */
import type { HistoryMode, RunRequest } from '../../src/core/run.ts';

const never = new AbortController().signal;

export function requestFor(reference: string, historyMode: HistoryMode): RunRequest {
  return {
    reference,
    token: null,
    address: null,
    given: new Map(),
    onCommandLine: new Set(),
    wanted: [],
    envFile: new Map(),
    passEnv: [],
    source: 'cli',
    historyMode,
    timeoutMs: null,
    callChain: [],
    correlationId: null,
    incident: null,
    signal: never,
    force: never,
    strict: false,
    interaction: null,
    assumeYes: false,
    choice: null,
    stubs: null,
    keepWorkFolder: 'never',
  };
}
