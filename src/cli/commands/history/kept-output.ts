/** What a run printed, as a person sees it. */
import type { KeptOutput } from '../../../core/ports.ts';
import { ChunkDecoder } from '../../output.ts';
import { printable } from '../../render.ts';
import type { Style } from '../../render.ts';

/**
 * Head, gap and tail as a person sees them; nothing where nothing was kept.
 * @param written bytes that the record tells of, kept or not; what is not there of them has been removed since
 */
export async function* outputText(
  kept: AsyncIterable<KeptOutput>,
  dropped: number,
  style: Style,
  written = dropped,
): AsyncGenerator<string> {
  const decoder = new ChunkDecoder();
  const gap = (bytes: number): string => style.dim(`\n… ${bytes} bytes were not kept …\n`);
  let [isBegun, isGapTold] = [false, dropped === 0];
  for await (const item of kept) {
    if (!isBegun) yield `\n${style.bold('Output')}\n`;
    isBegun = true;
    if (item.kind === 'gap') yield gap(item.dropped);
    if (item.kind === 'chunk') for (const text of decoder.decode(item)) yield printable(text.replaceAll('\r\n', '\n'));
    isGapTold ||= item.kind === 'gap';
  }
  yield decoder.end();
  if (!isBegun && written > dropped) yield `\n${style.dim('The output is no longer kept.')}\n`;
  // The disk had no room for the end.
  if (!isGapTold) yield gap(dropped);
}
