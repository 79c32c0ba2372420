import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isLegalTransition } from '../../../src/core/run-state.ts';
import { exitCodeOf, stopReasonOf } from '../../../src/core/run.ts';
import { signalNumber } from '../../../src/core/signals.ts';
import type { RunState } from '../../../src/core/run.ts';

const STATES: readonly (RunState | null)[] = [null, 'queued', 'started', 'finished', 'interrupted', 'refused'];

describe('transitions', () => {
  it('are legal as the table says, and no others', () => {
    const legal = STATES.flatMap((from) =>
      STATES.filter((to): to is RunState => to !== null && isLegalTransition(from, to)).map((to) => `${from} → ${to}`),
    );
    expect(legal).toEqual([
      'null → queued',
      'null → refused',
      'queued → started',
      'queued → finished',
      'queued → interrupted',
      'started → finished',
      'started → interrupted',
    ]);
  });
});

describe('exitCodeOf', () => {
  it.each([
    ['succeeded', 0, null, 0],
    ['failed', 3, null, 3],
    ['failed', null, 'SIGSEGV', 139],
    ['timed-out', null, 'SIGKILL', 124],
    ['canceled', null, 'SIGINT', 130],
    ['canceled', null, 'SIGTERM', 143],
    ['canceled', null, 'SIGPIPE', 141],
    ['canceled', 75, null, 75],
    ['limit-exceeded', null, 'SIGKILL', 137],
    ['spawn-failed', null, null, 69],
    ['spawn-failed', 74, null, 74],
  ] as const)('%s, %s, %s → %s', (outcome, exitCode, signal, expected) => {
    expect(exitCodeOf({ outcome, exitCode, signal })).toBe(expected);
  });
});

describe('signals', () => {
  it('have the numbers of this system', () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      // Other names of the same numbers.
      if (['SIGIOT', 'SIGPOLL', 'SIGUNUSED'].includes(name)) continue;
      expect([name, signalNumber(name)]).toEqual([name, number]);
    }
  });

  it('that nobody sent count as an interrupt', () => {
    expect(stopReasonOf(AbortSignal.abort({ signal: 'SIGTERM' }))).toEqual({ signal: 'SIGTERM' });
    expect(stopReasonOf(AbortSignal.abort())).toEqual({ signal: 'SIGINT' });
  });
});
