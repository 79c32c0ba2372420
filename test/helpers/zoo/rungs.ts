/** The ways of containment that there are here, found out by trying them. */
import { execa } from 'execa';
import { classic } from '../cli.ts';
import type { User } from '../plain-user.ts';
import type { Zoo } from './zoo.ts';

export interface Rung {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Nobody survives; the others end what they can reach. */
  readonly holds: boolean;
}

const RUNGS: readonly Rung[] = [{ name: 'process-group', env: {}, holds: false }];

/** Those that this user may have on this machine. */
export async function rungsOf(zoo: Zoo, user: User): Promise<readonly Rung[]> {
  return RUNGS;
}
