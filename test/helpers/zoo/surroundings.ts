/** What the tests of containment share: the zoo, who is there, and by what each of them is held. */
import { users } from '../plain-user.ts';
import type { User } from '../plain-user.ts';
import { delegate, rungsOf } from './rungs.ts';
import type { Rung } from './rungs.ts';
import { createZoo, hasZoo } from './zoo.ts';
import type { Zoo } from './zoo.ts';

export interface Case {
  /** `reaper in perl, root` */
  readonly name: string;
  readonly user: User;
  readonly rung: Rung;
}

export interface Surroundings {
  readonly zoo: Zoo;
  readonly users: readonly User[];
  /** None where there can be no zoo. */
  readonly cases: readonly Case[];
  readonly close: () => Promise<void>;
}

/** `isWanted` leaves out what need not be tried; each case costs a second to find. */
export async function prepare(isWanted: (user: User, rung: string) => boolean): Promise<Surroundings> {
  if (!hasZoo) return { zoo: NO_ZOO, users: [], cases: [], close: async () => {} };
  const zoo = createZoo();
  const everybody = users(zoo.folder);
  const delegated = delegate(everybody.find(({ uid }) => uid !== 0) ?? null);
  const cases: Case[] = [];
  for (const user of everybody)
    for (const rung of await rungsOf(zoo, user, delegated?.folder ?? null, (name) => isWanted(user, name)))
      cases.push({ name: `${rung.name}, ${user.name}`, user, rung });
  return {
    zoo,
    users: everybody,
    cases,
    close: async () => {
      await zoo.close();
      delegated?.close();
    },
  };
}

const NO_ZOO: Zoo = {
  folder: '',
  open: () => {
    throw new TypeError('there is no zoo here');
  },
  close: async () => {},
};
