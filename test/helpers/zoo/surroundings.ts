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
  /** For `beforeAll` and `afterAll`: who only looks for cases leaves nothing behind, also where no test is run. */
  readonly open: () => void;
  readonly close: () => Promise<void>;
}

/** `isWanted` leaves out what need not be tried; each case costs a second to find. */
export async function prepare(isWanted: (user: User, rung: string) => boolean): Promise<Surroundings> {
  const zoo = createZoo();
  const everybody = users(zoo.folder);
  const delegated = delegate(everybody.find(({ uid }) => uid !== 0) ?? null);
  const open = (): void => {
    zoo.furnish();
    delegated?.make();
    for (const user of everybody) user.install();
  };
  const close = async (): Promise<void> => {
    await zoo.close();
    delegated?.remove();
  };
  const cases: Case[] = [];
  if (hasZoo) {
    open();
    for (const user of everybody)
      for (const rung of await rungsOf(zoo, user, delegated?.folder ?? null, (name) => isWanted(user, name)))
        cases.push({ name: `${rung.name}, ${user.name}`, user, rung });
    await close();
  }
  return { zoo, users: everybody, cases, open, close };
}
