/** What is told of a run that has ended: to a summary, to a file of tests, to a person. */
import path from 'node:path';
import type { RunEvent, RunResult, StepResult } from '../../core/run.ts';
import { LastLines } from './last-lines.ts';

export interface RunReport {
  /** As messages show it. */
  readonly document: string;
  readonly result: RunResult;
  readonly isRehearsal: boolean;
  /** The first step that neither succeeded nor was left out; null: there is none. */
  readonly failed: StepResult | null;
  /** What the step that ran last has printed on both streams, in order; and on stdout alone. */
  readonly lastLines: readonly string[];
  readonly lastOfStdout: readonly string[];
}

export interface ReportKeeper {
  hear(event: RunEvent): void;
  /** Its name. */
  runbook(): string;
  of(result: RunResult, isRehearsal: boolean): RunReport;
}

export function keepReport(): ReportKeeper {
  const [all, stdout] = [new LastLines(), new LastLines()];
  let document = '';
  return {
    hear: (event) => {
      if (event.type === 'queued') document = event.document;
      if (event.type === 'stdout') stdout.add(event.chunk);
      if (event.type === 'stdout' || event.type === 'stderr') all.add(event.chunk);
      if (event.type !== 'step' || event.phase !== 'started') return;
      all.clear();
      stdout.clear();
    },
    runbook: () => path.basename(document, '.md'),
    of: (result, isRehearsal) => ({
      document,
      result,
      isRehearsal,
      failed: result.steps.find(({ outcome }) => outcome !== 'succeeded' && outcome !== 'skipped') ?? null,
      lastLines: all.lines(),
      lastOfStdout: stdout.lines(),
    }),
  };
}
