/**
 * Nothing survives a stop: a zoo of processes that do what they can to get away, stopped in every way, as root and as a
 * plain user, under every containment that there is here. Where the containment is known to leak, it has to be seen to.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLanes } from '../helpers/lanes.ts';
import { users } from '../helpers/plain-user.ts';
import { isLong, times } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';
import { playRound } from '../helpers/zoo/rounds.ts';
import type { Stop } from '../helpers/zoo/rounds.ts';
import { createTally } from '../helpers/zoo/tally.ts';
import { createZoo } from '../helpers/zoo/zoo.ts';

const zoo = createZoo();
const inLane = createLanes(3);
const tally = createTally();
afterAll(async () => {
  await zoo.close();
  console.log(tally.table());
});

const USERS = users(zoo.folder);
const LEAK = ['setsid', 'envi', 'pipe', 'ghost'];
const STOPS: readonly (readonly [Stop, number])[] = [
  ['time limit', 124],
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['Ctrl-C', 130],
];

describe.concurrent.each(USERS.map((user) => [user.name, user] as const))('as %s', (_name, user) => {
  it.each(STOPS)('a stop by %s', async (stop, exit) => {
    const rounds = await Promise.all(
      Array.from({ length: stop === 'Ctrl-C' ? 1 : times(5, 200) }, async () =>
        await inLane(async () => await playRound(zoo, { user, stop, env: {}, patienceMs: 500 })),
      ),
    );
    tally.add(`process-group, ${user.name}, ${stop}`, rounds);
    for (const round of rounds) {
      expect(round.exitCode, round.stderr).toBe(exit);
      expect(round.survivors).toEqual(expect.arrayContaining(LEAK));
    }
  });
});
