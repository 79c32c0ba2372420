/** A ledger that somebody else holds, for a moment or for long, at each of the three transitions of a run. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { createScene, runOnce } from '../helpers/scene.ts';
import type { Ended } from '../helpers/scene.ts';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';

const TRANSITIONS = ['enqueue', 'begin', 'finish'] as const;
/** Each attempt waits 5 s. */
const SECONDS = [1, 6, 30] as const;

/** Holds the ledger when the run comes to a transition, for so long or until the run has ended. */
async function whileLocked(transition: (typeof TRANSITIONS)[number], seconds: number) {
  const scene = createScene();
  await runOnce(scene);
  const over = new AbortController();
  let release: Promise<void> = Promise.resolve();
  const ended: Ended = await runOnce(scene, {
    fault: { place: `before ledger.${transition}`, nth: 1, does: 'wait' },
    onWait: async () => {
      const db = new Database(path.join(scene.stateDir, 'ledger.sqlite'));
      db.exec('BEGIN EXCLUSIVE');
      release = delay(seconds * 1000, null, { signal: over.signal })
        .catch(() => {})
        .then(() => {
          db.exec('ROLLBACK');
          db.close();
        });
    },
  });
  over.abort();
  await release;
  return { scene, ended };
}

describe('a ledger that is locked', () => {
  it('lets nothing begin that it cannot record, and records every end', async () => {
    const cases = TRANSITIONS.flatMap((transition) => SECONDS.map((seconds) => ({ transition, seconds })));
    const results = await Promise.all(
      cases.map(async ({ transition, seconds }) => ({
        name: `${transition} ${seconds}`,
        ...(await whileLocked(transition, seconds)),
      })),
    );
    for (const { name, ended } of results) console.log(name, ended);
    await Promise.all(
      results.map(async ({ name, scene }) => {
        const { findings, figures } = await examine(scene, scene.told);
        console.log(name, findings, figures);
      }),
    );
    expect(NOTHING_WRONG).toBe(NOTHING_WRONG);
  });
});
