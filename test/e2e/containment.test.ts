/**
 * Nothing survives a stop: a zoo of processes that do what they can to get away, stopped in every way, as root and as a
 * plain user, under every containment that there is here. The weakest is known to leak, and has to be seen to.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLanes } from '../helpers/lanes.ts';
import { times } from '../helpers/property.ts';
import { playRound } from '../helpers/zoo/rounds.ts';
import type { Stop } from '../helpers/zoo/rounds.ts';
import { killAtStart, measureStart } from '../helpers/zoo/start-up.ts';
import { prepare } from '../helpers/zoo/surroundings.ts';
import { createTally } from '../helpers/zoo/tally.ts';
import { hasZoo } from '../helpers/zoo/zoo.ts';

const { zoo, users, cases, open, close } = await prepare(() => true);
const inLane = createLanes(4);
const tally = createTally();
// They wait for a lane, all at once.
vi.setConfig({ testTimeout: times(1_200_000, 3_600_000) });
beforeAll(open);
afterAll(async () => {
  await close();
  console.log(tally.table());
});

/** Each with the exit code of the runner. */
const STOPS: readonly (readonly [Stop, number | undefined])[] = [
  ['time limit', 124],
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['Ctrl-C', 130],
  ['SIGKILL', undefined],
];
const ROUNDS = times(2, 200);
/** Where it leaks, this is enough to see it. */
const LEAKY_ROUNDS = times(1, 20);
it.skipIf(!hasZoo)('is tried with what every Linux has (needs /proc, perl and bash)', () => {
  const always = users.flatMap((user) => [`reaper in perl, ${user.name}`, `process group, ${user.name}`]);
  expect(cases.map(({ name }) => name)).toEqual(expect.arrayContaining(always));
});

describe.concurrent.each(cases)('$name', ({ user, rung, name }) => {
  it.each(STOPS)('a stop by %s', async (stop, exit) => {
    const count = rung.holds ? ROUNDS : LEAKY_ROUNDS;
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
});

// Not while the zoo is being looked at, which would delay the blow.
describe.each(cases)('$name', ({ user, rung, name }) => {
  it('the runner killed while it starts the script', async () => {
    const count = times(4, 200);
    // As many at once as later, so that it is as slow as later.
    const starts = await Promise.all(
      Array.from({ length: 2 }, async () => await inLane(async () => await measureStart(zoo, { user, rung }))),
    );
    const spanMs = 2 * Math.max(...starts);
    // The last of them has begun for sure, however slow the machine has become.
    const blows = Array.from({ length: count }, (_, index) =>
      index < count - 1 ? (index * spanMs) / (count - 1) : ('begun' as const),
    );
    const rounds = await Promise.all(
      blows.map(async (when) => await inLane(async () => await killAtStart(zoo, { user, rung }, when))),
    );
    const began = rounds.filter((round) => round.began).length;
    tally.add(
      `${name}, killed at the start (${began} scripts had begun)`,
      rounds.map((round) => ({ ...round, deadMs: null })),
    );
    const survivors = rounds.flatMap((round) => round.survivors);
    if (rung.holds) expect([...new Set(survivors)]).toEqual([]);
    else expect(survivors).not.toEqual([]);
    expect(rounds.flatMap((round) => round.leftovers)).toEqual([]);
  });
});
