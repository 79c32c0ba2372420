/** Are the files that were kept of runs what the record says? Output and artifacts, as far as they are there. */
import { RunbookError } from '../core/errors.ts';
import { DOES_NOT_FIT } from '../core/output-check.ts';
import type { ArtifactStore, Finding, LedgerView, RecordedFiles } from '../core/ports.ts';
import type { ArtifactRecord, RecordedOutput } from '../core/run.ts';
import { fitsRecord, keptBytesOf } from './intact.ts';
import type { EnginePorts } from './ports.ts';

export interface FilesReport {
  /** Outputs and artifacts that are there and were compared. */
  readonly compared: number;
  /** Of how many runs something was removed on purpose: by age, by size. */
  readonly removed: number;
  /** Files that are not what the record says, cannot be read, or are not there and should be. */
  readonly wrong: number;
  /** The first of them, as many as were asked for, in the order of the records. */
  readonly findings: readonly Finding[];
}

export type FilePorts = Pick<EnginePorts, 'output'> & { readonly artifacts: ArtifactStore };

/** `nothing`: nothing was kept, and nothing is there. */
type Verdict = 'fits' | 'missing' | 'nothing' | { readonly problem: string };

const PROGRESS_EVERY = 100;

/**
 * Memory follows neither the number of runs nor the size of their files, but for findings. A file that goes meanwhile is none.
 * @param limit of findings; all are counted
 * @param onProgress told now and then how many files were compared
 */
export async function auditFiles(
  view: LedgerView,
  ports: FilePorts,
  limit: number,
  onProgress: (compared: number) => void = () => {},
): Promise<FilesReport> {
  let [compared, removed, wrong] = [0, 0, 0];
  const findings: Finding[] = [];
  const blame = (finding: Finding): void => {
    if (findings.length < limit) findings.push(finding);
    wrong += 1;
  };
  try {
    for (const record of view.recordedFiles()) await compareAll(record);
  } catch (error) {
    if (!(error instanceof RunbookError) || error.code !== 'unavailable') throw error;
    blame({ seq: null, runId: null, fault: 'file', message: error.message });
  }
  return { compared, removed, wrong, findings };

  async function compareAll({ seq, runId, said }: RecordedFiles): Promise<void> {
    if (said === null) {
      blame({ seq, runId, fault: 'output', message: `Record ${seq} does not say what run ${runId} has printed.` });
      return;
    }
    let isIncomplete = false;
    for (const { fault, what, look } of filesOf(ports, runId, said)) {
      const verdict = await answered(look);
      if (verdict === 'nothing') continue;
      // Looked up behind the file: what is removed on purpose is marked before it goes.
      if (verdict === 'missing' && view.isOutputGone(runId)) {
        isIncomplete = true;
        continue;
      }
      if (verdict !== 'missing') {
        compared += 1;
        if (compared % PROGRESS_EVERY === 0) onProgress(compared);
      }
      if (verdict === 'fits') continue;
      const problem = verdict === 'missing' ? 'is not there, and was not removed by age or size' : verdict.problem;
      blame({ seq, runId, fault, message: `${what} of run ${runId} ${problem}.` });
    }
    if (isIncomplete) removed += 1;
  }
}

interface KeptFile {
  readonly fault: 'output' | 'artifact';
  /** At the beginning of a sentence. */
  readonly what: string;
  /** @throws RunbookError `io` */
  readonly look: () => Promise<Verdict>;
}

function filesOf(
  { output, artifacts }: FilePorts,
  runId: string,
  said: NonNullable<RecordedFiles['said']>,
): readonly KeptFile[] {
  const kept = said.artifacts.filter((artifact) => artifact.kept);
  return [
    { fault: 'output', what: 'The output', look: async () => await lookAtOutput(output, runId, said.output) },
    ...kept.map((record): KeptFile => ({
      fault: 'artifact',
      what: `The artifact ${record.path}`,
      look: async () => await lookAtArtifact(artifacts, runId, record),
    })),
  ];
}

async function lookAtOutput(output: FilePorts['output'], runId: string, record: RecordedOutput): Promise<Verdict> {
  const fits = await fitsRecord(output, runId, record);
  if (fits === null) return keptBytesOf(record) === 0 ? 'nothing' : 'missing';
  return fits ? 'fits' : { problem: DOES_NOT_FIT };
}

async function lookAtArtifact(artifacts: ArtifactStore, runId: string, record: ArtifactRecord): Promise<Verdict> {
  const is = await artifacts.measure(runId, record.path);
  if (is === null) return 'missing';
  return is.bytes === record.bytes && is.digest === record.digest ? 'fits' : { problem: DOES_NOT_FIT };
}

async function answered(look: KeptFile['look']): Promise<Verdict> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    return { problem: 'cannot be read' };
  }
}
