/** A ledger that somebody else holds, for a moment or for long, at each of the three transitions of a run. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { createScene, runOnce } from '../helpers/scene.ts';
import type { Disturbed, Ended } from '../helpers/scene.ts';

const TRANSITIONS = ['enqueue', 'begin', 'finish'] as const;
/** An attempt of a run waits 5 s; the end of one is tried for a minute. */
const SECONDS = [1, 6, 30] as const;

interface Met {
  readonly scene: Disturbed;
  readonly ended: Ended;
}

/** Holds the ledger from where the run comes to a transition, for so long or until the run has ended. */
async function whileLocked(transition: (typeof TRANSITIONS)[number], seconds: number): Promise<Met> {
  const scene = createScene();
  await runOnce(scene);
  const over = new AbortController();
  let released: Promise<void> = Promise.resolve();
  const hold = async (): Promise<void> => {
    const db = new Database(path.join(scene.stateDir, 'ledger.sqlite'));
    db.exec('BEGIN EXCLUSIVE');
    await delay(seconds * 1000, null, { signal: over.signal }).catch(() => {});
    db.exec('ROLLBACK');
    db.close();
  };
  const ended = await runOnce(scene, {
    fault: { place: `before ledger.${transition}`, nth: 1, does: 'wait' },
    onWait: async () => {
      released = hold();
    },
  });
  over.abort();
  await released;
  // Looks after what could not be recorded while the ledger was held.
  await runOnce(scene);
  return { scene, ended };
}

const LOCKED = expect.stringMatching(
  /^failed 75 The ledger .* has been locked by another process for too long/,
) as string;
const PATIENT = expect.stringMatching(/^warning The script has ended; waiting for the ledger/) as string;

describe('a ledger that another process holds', () => {
  // All at once: they only wait.
  it('lets nothing begin that it cannot record, and every end is recorded in time', async () => {
    const cases = TRANSITIONS.flatMap((transition) => SECONDS.map((seconds) => [transition, seconds] as const));
    const met = await Promise.all(cases.map(async (one) => await whileLocked(...one)));
    for (const [index, { scene, ended }] of met.entries()) {
      const [transition = 'finish', seconds = 0] = cases[index] ?? [];
      const { findings, figures } = await examine(scene, scene.told);
      console.log(`${transition}, locked ${seconds} s: exit ${ended.exitCode}, ${JSON.stringify(figures)}`);
      expect(findings).toEqual(NOTHING_WRONG);
      const isRefused = seconds > 5 && transition !== 'finish';
      expect(ended).toMatchObject({ exitCode: isRefused ? 75 : 0, runId: isRefused ? null : expect.any(String) });
      const said = ended.said.filter((line) => !line.startsWith('at '));
      if (seconds < 5) expect(said).toEqual([]);
      else if (transition === 'finish') expect(said).toContainEqual(PATIENT);
      else expect(said).toContainEqual(LOCKED);
      // The one before, this one, and the one behind; what was refused has had no effect.
      expect(figures.effects).toBe(isRefused ? 2 : 3);
    }
  });
});
