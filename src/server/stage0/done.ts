/** The data of the event `done`: one line of JSON with everything that Stage0 says at the end of a run. */
import type { RunOutput } from '../../core/ports.ts';
import type { OutputStream } from '../../core/run.ts';
import { escapedText, pythonJson } from './json.ts';
import { PlainText } from './plain-text.ts';

export interface DoneFacts {
  /** As in the address of the request. */
  readonly runbook: string;
  readonly returnCode: number;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Said at the end of stderr. */
  readonly stderrNotes: string;
}

/** @param output null: of a request that no run came of */
export async function* doneData(
  facts: DoneFacts,
  output: { readonly runId: string; readonly kept: RunOutput } | null,
): AsyncGenerator<string> {
  const { runbook, returnCode, errors, warnings, stderrNotes } = facts;
  const head = pythonJson({ success: returnCode === 0, runbook, return_code: returnCode });
  yield `${head.slice(0, -1)}, "stdout": "`;
  if (output !== null) yield* keptText(output, 'stdout');
  yield '", "stderr": "';
  if (output !== null) yield* keptText(output, 'stderr');
  yield `${escapedText(stderrNotes)}", ${pythonJson({ errors, warnings }).slice(1)}`;
}

/** Never more of it in memory than the spool hands out at once. */
async function* keptText(
  { runId, kept }: { readonly runId: string; readonly kept: RunOutput },
  stream: OutputStream,
): AsyncGenerator<string> {
  const text = new PlainText();
  for await (const item of kept.read(runId)) {
    if (item.kind === 'chunk' && item.stream === stream) yield escapedText(text.push(item.bytes));
  }
  yield escapedText(text.end());
}
