/** All of what is kept of a run at once, for tests that look at it as a whole. */
import type { OutputChunk, RunOutput } from '../../src/core/ports.ts';

export interface Kept {
  readonly chunks: readonly OutputChunk[];
  readonly dropped: number;
  /** Index of the first chunk behind the gap; -1 without a gap. */
  readonly gapAt: number;
  /** False while the run goes on, or when its runner died. */
  readonly complete: boolean;
}

export async function keptOf(output: RunOutput, runId: string): Promise<Kept> {
  const chunks: OutputChunk[] = [];
  let [dropped, gapAt, complete] = [0, -1, false];
  for await (const item of output.read(runId)) {
    if (item.kind === 'end') complete = true;
    else if (item.kind === 'gap') [dropped, gapAt] = [item.dropped, chunks.length];
    else if (item.kind === 'chunk')
      chunks.push({ step: item.step, stream: item.stream, bytes: Buffer.from(item.bytes) });
  }
  return { chunks, dropped, gapAt, complete };
}
