/** What an audit finds wrong with the record. Part of `ports.ts`. */
import type { LinkFault } from './chain.ts';

/** Something that does not hold. */
export interface Finding {
  /** Number of the first bad record, where it is about one. */
  readonly seq: number | null;
  readonly runId: string | null;
  readonly fault: Fault;
  /** One sentence. */
  readonly message: string;
}

/**
 * What is wrong with it: of a record (`LinkFault`); its text is gone and no operation says so (`taken-out`); an operation
 * that took records out says what is not so (`pruning`); it is another than the one that was kept (`unexpected`), or is cut
 * off (`cut-off`); or something beside the chain, or a file that was kept of a run.
 */
export type Fault =
  | LinkFault
  | 'taken-out'
  | 'pruning'
  | 'unexpected'
  | 'cut-off'
  | 'run'
  | 'operation'
  | 'pause'
  | 'document'
  | 'file'
  | 'output'
  | 'artifact';
