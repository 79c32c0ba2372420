/** What holds the processes of a run, and how certain it is that none got away. See docs/containment.md. */

/** Rungs of the ladder, the strongest first. */
export const RUNGS = ['cgroup', 'reaper', 'process-group'] as const;
export type Rung = (typeof RUNGS)[number];

/** What the processes of a run were held by, decided before anything was started. */
export interface Containment {
  readonly rung: Rung;
  /** Of the reaper: `perl` or `python3`; null without one. */
  readonly reaper: string | null;
  /** Folders of the run's cgroups. */
  readonly cgroups: readonly string[];
  /** Why the rung is not a higher one; one sentence each. */
  readonly refused: readonly string[];
}

/** Whether it is certain that nothing of the run was left behind on this machine. */
export interface ContainmentProof {
  readonly claim: 'proven' | 'best effort';
  /** One sentence for `best effort`. */
  readonly reason: string | null;
}
