/** Which step the output of a run belongs to, for whoever reads it in order. */
import { parseRunbook } from '../core/parse/parse.ts';
import type { StoredRun } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';

export interface Headings {
  /** What comes next is of this step; tells it where it is another one than before. Steps count from 0. */
  reach(step: number): Promise<void>;
  /** Of a run that has ended, steps that printed nothing are told in their place. */
  know(run: StoredRun): void;
  /** Nothing more comes. */
  finish(): Promise<void>;
}

/** @param tell not called for a runbook of one step */
export function createHeadings(
  names: readonly string[],
  tell: (step: number, of: number, name: string) => Promise<void> | void,
): Headings {
  let at = -1;
  let steps: NonNullable<StoredRun['result']>['steps'] = [];
  const tellOne = async (step: number): Promise<void> => {
    if (names.length > 1) await tell(step, names.length, names[step] ?? '');
  };
  const passSilent = async (until: number): Promise<void> => {
    for (const [step, { outcome }] of steps.entries())
      if (step > at && step < until && outcome !== 'skipped') await tellOne(step);
  };
  return {
    reach: async (step) => {
      if (step === at) return;
      await passSilent(step);
      at = step;
      await tellOne(step);
    },
    know: ({ result, interruption }) => {
      steps = result?.steps ?? interruption?.steps ?? [];
    },
    finish: async () => {
      await passSilent(Number.POSITIVE_INFINITY);
    },
  };
}

/** Names of the steps of a run, as its document told them then; none where that cannot be read any more. */
export async function stepNamesOf({ ledger }: Pick<EnginePorts, 'ledger'>, run: StoredRun): Promise<readonly string[]> {
  const { name, digest } = run.runbook;
  const text = digest === null ? null : await ledger.documentText(digest);
  if (text === null) return [];
  const today = run.enqueuedAt.slice(0, 10);
  return parseRunbook(text, { fileName: `${name}.md`, today }).runbook?.steps.map((step) => step.name) ?? [];
}
