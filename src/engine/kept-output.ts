/** What is there of the output of a run, for who shows it: it may be changed, unreadable or gone, and the record is told all the same. */
import { RunbookError } from '../core/errors.ts';
import { DOES_NOT_FIT } from '../core/output-check.ts';
import type { RunLedger, RunOutput } from '../core/ports.ts';
import type { RunRecord } from '../core/run.ts';
import { fitsRecord, keptBytesOf, recordedOutput } from './intact.ts';

export interface OutputLook {
  /** Of what is kept, against the record; null where nothing is recorded of it, nothing is kept any more, or it cannot be read. */
  readonly intact: boolean | null;
  readonly problem: OutputProblem | null;
}

export interface OutputProblem {
  /** `missing`: it is not there, and nothing says that it was removed on purpose. `damaged`: what is there is not what was kept. */
  readonly name: 'unreadable' | 'missing' | 'damaged';
  /** One sentence. */
  readonly message: string;
}

export interface OutputPorts {
  readonly output: Pick<RunOutput, 'facts' | 'read'>;
  readonly ledger: Pick<RunLedger, 'isOutputGone'>;
}

/** Reads it to its end: who shows it afterwards knows that it can be read. */
export async function lookAtOutput(
  { output, ledger }: OutputPorts,
  run: Pick<RunRecord, 'runId' | 'result' | 'interruption' | 'attested'>,
): Promise<OutputLook> {
  const { runId } = run;
  // It is where it ran.
  if (run.attested !== undefined) return { intact: null, problem: null };
  const record = recordedOutput(run);
  try {
    if (record === null) {
      for await (const _ of output.read(runId));
      return { intact: null, problem: null };
    }
    const intact = await fitsRecord(output, runId, record);
    // Looked up behind the file: what is removed on purpose is marked before it goes.
    const isMissing = intact === null && keptBytesOf(record) > 0 && !(await ledger.isOutputGone(runId));
    return { intact, problem: intact === false ? DAMAGED : isMissing ? MISSING : null };
  } catch (error) {
    if (!(error instanceof RunbookError) || error.code !== 'io') throw error;
    return { intact: null, problem: { name: 'unreadable', message: error.message } };
  }
}

const DAMAGED: OutputProblem = {
  name: 'damaged',
  message: `The output that is kept ${DOES_NOT_FIT}.`,
};
const MISSING: OutputProblem = {
  name: 'missing',
  message:
    'The output is not there, and was not removed by age or size; `runbook audit verify --outputs` names all such files.',
};
