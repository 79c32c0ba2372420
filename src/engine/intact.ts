/** What is kept of an output, against the record of its run. */
import { RunbookError } from '../core/errors.ts';
import { createOutputCheck } from '../core/output-check.ts';
import type { RunOutput } from '../core/ports.ts';
import type { RunRecord } from '../core/run.ts';

/** Null where the run has no end, nothing is kept any more, or it cannot be read. */
export async function isIntact(
  output: Pick<RunOutput, 'facts' | 'read'>,
  { runId, result }: Pick<RunRecord, 'runId' | 'result'>,
): Promise<boolean | null> {
  if (result === null) return null;
  try {
    if ((await output.facts(runId)) === null) return null;
    const check = createOutputCheck();
    for await (const item of output.read(runId)) check.take(item);
    return check.fits(result.output);
  } catch (error) {
    if (error instanceof RunbookError) return null;
    throw error;
  }
}
