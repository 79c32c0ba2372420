/** Clocks that step in the middle of runs, and between them: durations, order, limits and who counts as dead do not follow. */
import { setTimeout as delay } from 'node:timers/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { RunUnderWay } from '../../src/core/ports.ts';
import type { StoredRun } from '../../src/core/run.ts';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { requires } from '../helpers/requires.ts';
import { createScene, runOnce } from '../helpers/scene.ts';
import type { Disturbed } from '../helpers/scene.ts';

const HOUR = 3_600_000;
const off = (time: string): number => Date.parse(time) - Date.now();
const STEPS: Readonly<Record<string, number>> = {
  'two hours ahead': 2 * HOUR,
  'two hours back': -2 * HOUR,
  'beyond 32 bits': off('2038-01-19T03:14:08Z'),
  'to where clocks begin': off('1970-01-01T00:00:10Z'),
};
const AT_SCRIPT = { place: 'before enclosure.execute', nth: 1, does: 'pass' } as const;

async function inLedger<T>({ stateDir }: Disturbed, ask: (ledger: ReturnType<typeof openSqliteLedger>) => Promise<T>) {
  const ledger = openSqliteLedger(path.join(stateDir, 'ledger.sqlite'));
  try {
    return await ask(ledger);
  } finally {
    ledger.close();
  }
}

describe('a clock that steps', () => {
  it('while scripts run makes no duration negative, ends none, and does not change the order', async () => {
    const scene = createScene('sleep 0.05; printf x', 'timeout: 1m');
    const ids: string[] = [];
    for (const ms of Object.values(STEPS)) {
      const during = await runOnce(scene, { fault: AT_SCRIPT, clockStepsToMs: ms });
      ids.push(during.runId ?? '');
    }
    const runs = await inLedger(scene, async (ledger) => await ledger.list({ limit: 99 }));
    expect(runs.map(({ runId }) => runId)).toEqual(ids.toReversed());
    expect(new Set(runs.map(({ result }) => result?.outcome))).toEqual(new Set(['succeeded']));
    const durations = runs.flatMap(({ result }) => [result?.durationMs ?? -1, ...stepsOf(result)]);
    console.log(`${runs.length} runs, ${Math.min(...durations)} to ${Math.max(...durations)} ms`);
    expect(Math.min(...durations)).toBeGreaterThanOrEqual(0);
    // What was measured is not what the clock showed.
    const shown = runs.map(({ result }) => Date.parse(result?.finishedAt ?? '') - Date.parse(result?.startedAt ?? ''));
    expect(Math.min(...shown)).toBeLessThan(-HOUR);
    expect(Math.max(...shown)).toBeGreaterThan(HOUR);
    expect((await examine(scene, scene.told)).findings).toEqual(NOTHING_WRONG);
  });

  it.each(Object.entries(STEPS).slice(0, 2))(
    '%s for who looks after runs, takes nobody for dead who lives, and nobody for alive who is dead',
    async (_name, ms) => {
      const scene = createScene('printf x');
      await runOnce(scene, { fault: { place: 'first output', nth: 1, does: 'kill' } });
      const alive = runOnce(scene, {
        fault: { ...AT_SCRIPT, does: 'wait' },
        onWait: async () => {
          await runOnce(scene, { clockOffMs: ms });
        },
      });
      expect((await alive).exitCode).toBe(0);
      const { findings, figures } = await examine(scene, scene.told);
      expect(findings).toEqual(NOTHING_WRONG);
      expect(figures).toMatchObject({ finished: 2, interrupted: 1 });
    },
  );
});

/** Nobody can look at its process, so that only the lease tells. */
const ELSEWHERE = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];

describe.skipIf(!requires('unshare', ...ELSEWHERE.slice(1), 'true'))('a runner in a container (needs unshare)', () => {
  it.each([2 * HOUR, -2 * HOUR])(
    'renews its lease when the clock steps by %i ms, and is not taken for dead',
    async (ms) => {
      const scene = createScene('printf x');
      let renewed = false;
      const ended = await runOnce(scene, {
        below: ELSEWHERE,
        fault: { ...AT_SCRIPT, does: 'wait' },
        clockStepsToMs: ms,
        onWait: async () => {
          const isRenewed = ({ leaseUntil }: RunUnderWay): boolean =>
            Math.abs(Date.parse(leaseUntil ?? '') - Date.now() - ms) < HOUR;
          const underWay = async (): Promise<readonly RunUnderWay[]> =>
            await inLedger(scene, async (ledger) => await ledger.underWay());
          for (let look = 0; look < 600 && !renewed; look += 1) {
            await delay(50);
            renewed = (await underWay()).every(isRenewed);
          }
          await runOnce(scene, { clockOffMs: ms });
        },
      });
      expect(renewed).toBe(true);
      expect(ended.exitCode).toBe(0);
      const { findings, figures } = await examine(scene, scene.told);
      expect(findings).toEqual(NOTHING_WRONG);
      expect(figures).toMatchObject({ finished: 2, interrupted: 0 });
    },
  );
});

function stepsOf(result: StoredRun['result']): readonly number[] {
  return result?.steps.map(({ durationMs }) => durationMs) ?? [];
}
