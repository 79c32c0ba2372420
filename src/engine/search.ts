/** Text in the outputs of runs: made known to the index when a run has ended, looked for in the outputs themselves. */
import { RunbookError } from '../core/errors.ts';
import { createOutputCheck } from '../core/output-check.ts';
import type { RunFilter } from '../core/ports.ts';
import type { OutputStream, RunResult, StoredRun } from '../core/run.ts';
import { LineSearch } from '../core/text-search.ts';
import { keptBytesOf, recordedOutput } from './intact.ts';
import type { EnginePorts } from './ports.ts';

type SearchPorts = Pick<EnginePorts, 'ledger' | 'output'>;

/** Longer outputs are not indexed, which would cost more than reading them: they are always looked at. */
export const MAX_INDEXED_BYTES = 64 * 1024;

/** Lines that are shown of a run. */
const SHOWN_LINES = 3;
/** Candidates that are asked for at once. */
const PAGE = 50;

export interface FoundLine {
  readonly stream: OutputStream;
  /** Control characters and all, but cut where it is long. */
  readonly text: string;
}

export interface FoundRun {
  readonly run: StoredRun;
  /** The first ones that hold the text. */
  readonly lines: readonly FoundLine[];
  /** There are more of them. */
  readonly more: boolean;
}

export interface Search {
  /** Newest first. */
  readonly found: readonly FoundRun[];
  /** There may be more: the limit was reached. */
  readonly more: boolean;
  /** Runs that fit the filter, but whose output is not kept any more, cannot be read, or does not fit its digest. */
  readonly notSearched: number;
  /** Those of them whose output should be there. */
  readonly unreadable: number;
}

/**
 * Runs that fit the filter and that printed the text, whatever its case. Each stream is looked at by itself, as it was
 * printed; the index says only where to look. @throws RunbookError `usage` for less than three characters
 */
export async function searchOutputs(ports: SearchPorts, text: string, filter: RunFilter): Promise<Search> {
  const length = Array.from(text).length;
  if (length < 3 || length > 1000)
    throw new RunbookError('usage', 'The text to be found in outputs has to have 3 to 1000 characters.', {
      fix: 'Write `--grep` with a longer part of a line.',
    });
  const found: FoundRun[] = [];
  let [notSearched, unreadable] = [0, 0];
  for await (const run of ports.ledger.searchOutput(text, { ...filter, limit: PAGE })) {
    const lines = await linesOf(ports, run, text);
    if (typeof lines === 'string') {
      notSearched += 1;
      if (lines === 'unreadable') unreadable += 1;
      continue;
    }
    if (lines.length === 0) continue;
    if (found.length === filter.limit) return { found, more: true, notSearched, unreadable };
    found.push({ run, lines: lines.slice(0, SHOWN_LINES), more: lines.length > SHOWN_LINES });
  }
  const gone = await ports.ledger.countWithoutOutput(filter);
  return { found, more: false, notSearched: notSearched + gone, unreadable };
}

/** `unreadable`: it cannot be read, or is not what the record says. */
async function linesOf(
  { output }: SearchPorts,
  run: StoredRun,
  text: string,
): Promise<readonly FoundLine[] | 'gone' | 'unreadable'> {
  const searches = { stdout: new LineSearch(text, SHOWN_LINES + 1), stderr: new LineSearch(text, SHOWN_LINES + 1) };
  const decoders = { stdout: decoder(), stderr: decoder() };
  const streams = ['stdout', 'stderr'] as const;
  const end = (): void => {
    for (const stream of streams) {
      searches[stream].push(decoders[stream].decode());
      searches[stream].end();
    }
  };
  const lines = (): readonly FoundLine[] =>
    streams.flatMap((stream) => searches[stream].lines.map((line) => ({ stream, text: line })));
  const check = createOutputCheck();
  let isThere = false;
  try {
    for await (const item of output.read(run.runId)) {
      isThere = true;
      check.take(item);
      // What is left of it is read for its digest.
      if (lines().length > SHOWN_LINES) continue;
      if (item.kind === 'gap') end();
      if (item.kind !== 'chunk') continue;
      searches[item.stream].push(decoders[item.stream].decode(item.bytes, { stream: true }));
    }
  } catch (error) {
    if (error instanceof RunbookError) return 'unreadable';
    throw error;
  }
  end();
  const record = recordedOutput(run);
  if (!isThere) return record === null || keptBytesOf(record) === 0 ? lines() : 'gone';
  return record === null || check.fits(record) ? lines() : 'unreadable';
}

/** Tells the index what a run printed. Without it the output is looked at each time, so no failure matters. */
export async function indexOutput({ ledger, output }: SearchPorts, result: RunResult): Promise<void> {
  const { runId } = result;
  try {
    if (keptBytesOf(result.output) > MAX_INDEXED_BYTES) {
      await ledger.indexOutput(runId, null);
      return;
    }
    const text = { stdout: '', stderr: '' };
    const decoders = { stdout: decoder(), stderr: decoder() };
    for await (const item of output.read(runId)) {
      if (item.kind === 'chunk') text[item.stream] += decoders[item.stream].decode(item.bytes, { stream: true });
    }
    for (const stream of ['stdout', 'stderr'] as const) text[stream] += decoders[stream].decode();
    await ledger.indexOutput(runId, `${text.stdout}\n${text.stderr}`);
  } catch {
    // Nothing of the run or of its record depends on it.
  }
}

/** As the output is shown: what is no UTF-8 is U+FFFD. */
function decoder(): InstanceType<typeof TextDecoder> {
  return new TextDecoder('utf8', { ignoreBOM: true });
}
