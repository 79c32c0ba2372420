/** The end of what is kept of a run's output, in the order in which it was printed. */
import { RunbookError } from '../../../core/errors.ts';
import type { RunOutput } from '../../../core/ports.ts';
import { ChunkDecoder } from '../../output.ts';

export interface LastLines {
  readonly text: string;
  /** There is something before it. */
  readonly isCut: boolean;
}

/** At most so many lines and characters; null where nothing is kept, or it cannot be read. */
export async function lastLines(
  output: RunOutput,
  runId: string,
  lines: number,
  characters: number,
): Promise<LastLines | null> {
  const decoder = new ChunkDecoder();
  let [text, isCut] = ['', false];
  const add = (more: string): void => {
    text += more;
    if (text.length <= 4 * characters) return;
    text = text.slice(-characters - 1);
    isCut = true;
  };
  try {
    for await (const item of output.read(runId)) {
      if (item.kind === 'gap') add('\n…\n');
      if (item.kind === 'chunk') for (const piece of decoder.decode(item)) add(piece);
    }
  } catch (error) {
    if (error instanceof RunbookError) return null;
    throw error;
  }
  add(decoder.end());
  const all = text.replaceAll('\r\n', '\n').replace(/\n+$/, '');
  if (all.trim() === '') return null;
  const last = all.split('\n').slice(-lines).join('\n');
  const shown = last.slice(-characters).toWellFormed();
  return { text: shown, isCut: isCut || shown.length < all.length };
}
