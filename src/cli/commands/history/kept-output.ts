/** What a run printed, as a person sees it. */
import type { KeptOutput } from '../../../core/ports.ts';
import type { StoredRun } from '../../../core/run.ts';
import { keptBytesOf, recordedOutput } from '../../../engine/intact.ts';
import type { OutputLook } from '../../../engine/kept-output.ts';
import { ChunkDecoder } from '../../output.ts';
import { printable } from '../../render.ts';
import type { Style } from '../../render.ts';

/** Head, gap and tail as a person sees them; nothing where nothing was kept. Of an output that has a problem that is told instead. */
export async function* outputText(
  kept: AsyncIterable<KeptOutput>,
  run: Pick<StoredRun, 'result' | 'interruption' | 'attested'>,
  { intact }: OutputLook,
  style: Style,
): AsyncGenerator<string> {
  if (run.attested !== undefined) return;
  const record = recordedOutput(run);
  const dropped = run.result?.output.dropped ?? 0;
  const isRemoved = intact === null && record !== null && keptBytesOf(record) > 0;
  const decoder = new ChunkDecoder();
  const gap = (bytes: number): string => style.dim(`\n… ${bytes} bytes were not kept …\n`);
  let [isBegun, isGapTold] = [false, dropped === 0];
  for await (const item of kept) {
    // A run that has printed nothing has no more than an end.
    if (item.kind !== 'chunk' && item.kind !== 'gap') continue;
    if (!isBegun) yield `\n${style.bold('Output')}\n`;
    isBegun = true;
    if (item.kind === 'gap') yield gap(item.dropped);
    else for (const text of decoder.decode(item)) yield printable(text.replaceAll('\r\n', '\n'));
    isGapTold ||= item.kind === 'gap';
  }
  yield decoder.end();
  if (!isBegun && isRemoved) yield `\n${style.dim('The output is no longer kept: it was removed by age or size.')}\n`;
  if (!isBegun && intact === false) yield `\n${style.dim('Nothing of the output can be shown.')}\n`;
  // The disk had no room for the end.
  if (!isGapTold) yield gap(dropped);
}
