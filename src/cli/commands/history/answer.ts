/** What `runbook history` without a run has found, whatever form it is printed in. */
import type { RunFilter } from '../../../core/ports.ts';
import type { StoredRun } from '../../../core/run.ts';
import { searchOutputs } from '../../../engine/search.ts';
import type { FoundLine } from '../../../engine/search.ts';
import type { App } from '../../../app.ts';

export interface ListedRun {
  readonly run: StoredRun;
  /** Lines of its output that hold the text that was looked for; empty where none was. */
  readonly lines: readonly FoundLine[];
  readonly moreLines: boolean;
}

export interface Answer {
  /** Newest first. */
  readonly listed: readonly ListedRun[];
  /** There are, or may be, more than the limit lets through. */
  readonly more: boolean;
  /** Null where no text was looked for. */
  readonly search: { readonly text: string; readonly notSearched: number; readonly unreadable: number } | null;
}

export async function answer(app: App, filter: RunFilter, text: string | undefined): Promise<Answer> {
  const ledger = await app.ledger();
  if (text === undefined) {
    const runs = await ledger.list({ ...filter, limit: filter.limit + 1 });
    const listed = runs.slice(0, filter.limit).map((run) => ({ run, lines: [], moreLines: false }));
    return { listed, more: runs.length > filter.limit, search: null };
  }
  const { found, more, notSearched, unreadable } = await searchOutputs({ ledger, output: app.output }, text, filter);
  const listed = found.map(({ run, lines, more: moreLines }) => ({ run, lines, moreLines }));
  return { listed, more, search: { text, notSearched, unreadable } };
}
