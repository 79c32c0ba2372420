/** Secrets that a script tells while it runs: known to the masker before what the script prints next is seen. */
import { parseOutputs } from '../core/contract.ts';
import type { Step } from '../core/runbook.ts';
import { notify } from './notices.ts';
import type { RunContext } from './script.ts';
import { hideLines, hideOutput } from './secrets.ts';

/**
 * Follows `$RUNBOOK_MASK`, and `$RUNBOOK_OUTPUT` where the step has outputs.
 * @param files names of the two in the control folder
 * @returns a function for whenever the script has printed something; never rejects
 */
export function listenForSecrets(
  { workFolder, draft, emit }: Pick<RunContext, 'workFolder' | 'draft' | 'emit'>,
  step: Step,
  files: { readonly masks: string; readonly outputs: string | null },
): () => Promise<void> {
  const masks = workFolder.follow(files.masks);
  const outputs = files.outputs === null || step.outputs.length === 0 ? null : workFolder.follow(files.outputs);
  let isTold = false;
  return async () => {
    const { text, problem } = masks();
    if (text !== '') hideLines(draft.masker, text);
    // Whether it is in order is said when the script has ended.
    const written = outputs?.().text ?? '';
    if (written !== '') {
      for (const [name, value] of parseOutputs(written, step.outputs).values) hideOutput(draft.masker, name, value);
    }
    if (problem === null || isTold) return;
    isTold = true;
    await notify(draft, emit, 'warning', [`“${step.name}”: not all of $RUNBOOK_MASK is masked, because ${problem}.`]);
  };
}
