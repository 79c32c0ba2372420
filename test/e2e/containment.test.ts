/**
 * Nothing survives a stop: a zoo of processes that do what they can to get away, stopped in every way, as root and as a
 * plain user, under every containment that there is here. The weakest is known to leak, and has to be seen to.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { createLanes } from '../helpers/lanes.ts';
import { users } from '../helpers/plain-user.ts';
import { times } from '../helpers/property.ts';
import { playRound } from '../helpers/zoo/rounds.ts';
import type { Stop } from '../helpers/zoo/rounds.ts';
import { delegate, rungsOf } from '../helpers/zoo/rungs.ts';
import { killAtStart, measureStart } from '../helpers/zoo/start-up.ts';
import { createTally } from '../helpers/zoo/tally.ts';
import { createZoo } from '../helpers/zoo/zoo.ts';

const zoo = createZoo();
const inLane = createLanes(3);
const tally = createTally();
const USERS = users(zoo.folder);
const delegated = delegate(USERS.find(({ name }) => name === 'plain user') ?? null);
const CASES: { user: (typeof USERS)[number]; rung: Awaited<ReturnType<typeof rungsOf>>[number]; name: string }[] = [];
for (const user of USERS)
  for (const rung of await rungsOf(zoo, user, delegated?.folder ?? null))
    CASES.push({ user, rung, name: `${rung.name}, ${user.name}` });

afterAll(async () => {
  await zoo.close();
  delegated?.close();
  console.log(tally.table());
});

const STOPS: readonly (readonly [Stop, number | undefined])[] = [
  ['time limit', 124],
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['Ctrl-C', 130],
  ['SIGKILL', undefined],
];

describe.concurrent.each(CASES)('$name', ({ user, rung, name }) => {
  it.each(STOPS)('a stop by %s', async (stop, exit) => {
    const count = stop === 'Ctrl-C' ? 1 : rung.holds ? times(5, 200) : times(2, 20);
    const rounds = await Promise.all(
      Array.from({ length: count }, async () => await inLane(async () => await playRound(zoo, { user, rung, stop }))),
    );
    tally.add(`${name}, ${stop}`, rounds);
    for (const round of rounds) {
      expect(round.exitCode, round.said).toBe(exit);
      expect(round.survivors).toEqual(rung.holds ? [] : expect.arrayContaining(['ghost']));
      expect(round.leftovers).toEqual([]);
    }
  });

  it('the runner killed while it starts the script', async () => {
    const count = times(8, 200);
    const startMs = await inLane(async () => await measureStart(zoo, { user, rung }));
    const rounds = await Promise.all(
      Array.from(
        { length: count },
        async (_, index) =>
          await inLane(async () => await killAtStart(zoo, { user, rung }, (index * 1.6 * startMs) / count)),
      ),
    );
    const began = rounds.filter((round) => round.began).length;
    tally.add(
      `${name}, killed at the start (${began} scripts had begun)`,
      rounds.map((round) => ({ ...round, deadMs: null })),
    );
    const survivors = rounds.flatMap((round) => round.survivors);
    expect([...new Set(survivors)]).toEqual(rung.holds ? [] : expect.arrayContaining(['ghost']));
    expect(rounds.flatMap((round) => round.leftovers)).toEqual([]);
  });
});
