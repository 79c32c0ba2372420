/** What a run printed, as a person sees it. */
import type { KeptOutput } from '../../../core/ports.ts';
import { ChunkDecoder } from '../../output.ts';
import { printable } from '../../render.ts';
import type { Style } from '../../render.ts';

/** Head, gap and tail as a person sees them; nothing where nothing is kept. */
export async function* outputText(
  kept: AsyncIterable<KeptOutput>,
  dropped: number,
  style: Style,
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
  // The disk had no room for the end, or the kept output is gone by now.
  if (!isGapTold) yield gap(dropped);
}
