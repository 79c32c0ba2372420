/** Where a run is shown: at a terminal, in the log of a pipeline, or simply on two streams. */
import type { Interaction } from '../../core/ports.ts';
import type { RunbookError } from '../../core/errors.ts';
import type { RunRequest } from '../../core/run.ts';
import type { RunReport } from './report.ts';
import type { Terminal } from '../terminal.ts';
import type { StepStart } from '../../core/run-events.ts';

export interface BegunStep {
  /** From 0. */
  readonly step: number;
  readonly of: number;
  readonly name: string;
  readonly start: StepStart;
}

export interface RunFrame {
  /** To be used for everything that the run shows. */
  readonly terminal: Terminal;
  /** Undefined: nobody else has to know. */
  readonly onSecret?: (secret: string) => void;
  /** What the scripts print is not before the reader's eyes when the run has failed. */
  readonly hidesOutput: boolean;
  /** Questions interrupt what is drawn. */
  asking(interaction: Interaction): Interaction;
  /** The scripts may begin. */
  started(): void;
  /** @returns whether the beginning is shown by that; else a line says it */
  beginStep(step: BegunStep): boolean;
  /** Something was printed. */
  printed(): void;
  endStep(): void;
  /** Once, in the end, of a run that has begun, or of one that has not. */
  report(report: RunReport): Promise<void>;
  refused(error: RunbookError, reference: string): Promise<void>;
  /** Whatever happens. */
  close(): void;
}

/** Shows nothing of its own. */
export function plainFrame(terminal: Terminal): RunFrame {
  return {
    terminal,
    hidesOutput: false,
    asking: (interaction) => interaction,
    started: () => {},
    beginStep: () => false,
    printed: () => {},
    endStep: () => {},
    report: async () => {},
    refused: async () => {},
    close: () => {},
  };
}

/** What is asked, and every secret, goes by the frame. */
export function withFrame(request: RunRequest, frame: RunFrame): RunRequest {
  const { interaction } = request;
  return {
    ...request,
    interaction: interaction === null ? null : frame.asking(interaction),
    ...(frame.onSecret === undefined ? {} : { onSecret: frame.onSecret }),
  };
}
