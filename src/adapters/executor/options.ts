/** How an operator wants runs to be held. */
import type { Rung } from '../../core/containment.ts';
import type { ReaperInterpreter } from './reaper-program.ts';

export const CHOSEN = 'chosen by the setting `containment`';

export interface ExecutorOptions {
  /** Between TERM and KILL. */
  readonly stopGraceMs: number;
  /** `auto`, or no higher rung than this one. */
  readonly containment: 'auto' | Rung;
  /** A run on a lower rung is refused; null: any will do. */
  readonly required: Rung | null;
  /** Reapers that are kept ready from the first `prepare` on; without it one, for one run. */
  readonly ready?: number;
  /** Preferred first. */
  readonly reapers?: readonly ReaperInterpreter[];
  /** Only this version of control groups. */
  readonly cgroupVersion?: 1 | 2;
}
