/** The tool is killed, wherever it happens to be: afterwards the record holds, and nothing is left of any run. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLanes } from '../helpers/lanes.ts';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { times } from '../helpers/property.ts';
import { createScene, runCli, runOnce } from '../helpers/scene.ts';
import type { Disturbed, Ended } from '../helpers/scene.ts';

/** 0 B to 5 MB, the small ones more often. */
const PRINTS = 'head -c $(( (RANDOM % 6) * (RANDOM % 6) * 200000 )) /dev/zero | tr "\\0" x';

/** At most three at once: they share the home and the document. */
async function allOf<T>(items: readonly T[], work: (item: T) => Promise<Ended>): Promise<readonly Ended[]> {
  const lane = createLanes(3);
  return await Promise.all(items.map((item) => lane(async () => await work(item))));
}

async function tell(scene: Disturbed, what: string, runs: readonly Ended[]): Promise<void> {
  const { findings, figures } = await examine(scene, scene.told);
  const killed = runs.filter(({ exitCode }) => exitCode === null).length;
  console.log(`${what}: ${runs.length} tried, ${killed} killed, ${scene.told.length} told, ${JSON.stringify(figures)}`);
  expect(findings).toEqual(NOTHING_WRONG);
  expect(killed).toBeGreaterThan(runs.length / 4);
}

describe('killed at any moment', () => {
  it.each(['file', 'ledger'])('with the history in the %s', async (history) => {
    const scene = createScene(PRINTS);
    const began = performance.now();
    await runCli(scene, ['--history', history]);
    const lifeMs = performance.now() - began;
    const runs = await allOf(Array.from({ length: times(30, 2000) }), async () => {
      const moment = delay(Math.random() * lifeMs * 1.2);
      return await runCli(scene, ['--history', history], {
        onStart: (pid) => {
          void moment.then(() => process.kill(pid, 'SIGKILL')).catch(() => {});
        },
      });
    });
    await runCli(scene, ['--history', history]);
    await tell(scene, `killed, history ${history}`, runs);
  });
});

/** Places that depend on time. */
const AT_ANY_TIME = /ledger\.(?:cancelRequest|renewLease)/;

describe('killed between two steps', () => {
  it('of a run, and of the recovery of others', async () => {
    const scene = createScene('head -c 100000 /dev/zero | tr "\\0" x');
    await runOnce(scene, { fault: { place: 'before ledger.finish', nth: 1, does: 'kill' } });
    const { said } = await runOnce(scene, { fault: { place: '', nth: 0, does: 'tell' } });
    const places = new Set(said.filter((line) => line.startsWith('at ')).map((line) => line.slice(3)));
    const faults = [...places]
      .filter((place) => !AT_ANY_TIME.test(place))
      .flatMap((place) =>
        Array.from({ length: times(1, 10) }, (_, n) => ({ place, nth: 1 + (n % 2), does: 'kill' as const })),
      );
    const runs = await allOf(faults, async (fault) => await runOnce(scene, { fault }));
    await runOnce(scene);
    console.log(places);
    await tell(scene, 'killed between steps', runs);
  });
});
