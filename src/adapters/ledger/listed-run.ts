/** What a run has to be listed as, by its records. */
import type { RunRecord, RunState } from '../../core/run.ts';
import { isLegalReport, isLegalTransition } from '../../core/run-state.ts';

/** Of the table `runs`. */
export type Row = Readonly<Record<string, unknown>>;

const STATES: readonly RunState[] = ['queued', 'started', 'finished', 'interrupted', 'refused'];

export interface SaidLink {
  readonly seq: number;
  readonly state: string;
  /** What its record says; undefined where that cannot be read. */
  readonly said: unknown;
}

/** What the row of a run has to say of itself; null where its records tell no story. @param links at least one, in order */
export function expectedRow(links: readonly SaidLink[]): (Row & { readonly digest: string | null }) | null {
  let before: RunState | null = null;
  const isLegal = isReport(links) ? isLegalReport : isLegalTransition;
  for (const { state, said } of links) {
    const now = STATES.find((one) => one === state);
    if (said === undefined || now === undefined || !isLegal(before, now)) return null;
    before = now;
  }
  try {
    const story: RunRecord = Object.assign({}, ...links.map(({ said }) => said));
    const { runbook, who, result } = story;
    return {
      first_seq: links[0]?.seq,
      enqueued_at: story.enqueuedAt,
      started_at: story.startedAt,
      finished_at: result?.finishedAt ?? story.interruption?.at ?? null,
      runbook: runbook.name,
      // That of a report lies elsewhere.
      path: story.attested === undefined ? runbook.path : null,
      subject: who.subject,
      incident: story.incident,
      rehearsal: Number(story.rehearsal),
      state: before,
      outcome: result?.outcome ?? null,
      digest: story.attested?.withoutDocument === true ? null : runbook.digest,
    };
  } catch {
    return null;
  }
}

/** Whether somebody attests that it took place elsewhere: only a first record can say so. */
function isReport([first]: readonly SaidLink[]): boolean {
  const said = first?.said;
  return typeof said === 'object' && said !== null && 'attested' in said;
}

/** Names of columns that say something else. Older ledgers have fewer of them. */
export function differences(row: Row, expected: Row): readonly string[] {
  return Object.keys(expected).filter((name) => name in row && row[name] !== expected[name]);
}

/** What is noted of a run and cannot be, by how it ended. Ledgers that were taken forward have no entries noted for older runs. */
export function impossibleNotes(row: Row, links: readonly SaidLink[]): readonly ('entry' | 'index')[] {
  const state = links.at(-1)?.state;
  const isUnderWay = state === 'queued' || state === 'started';
  const hasBegun = links.some((link) => link.state === 'started');
  const impossible: ('entry' | 'index')[] = [];
  if (
    'entry' in row &&
    row['entry'] !== null &&
    !entries(links, isUnderWay, hasBegun).some((one) => one === row['entry'])
  )
    impossible.push('entry');
  if ('indexed' in row && !indexes(isUnderWay, hasBegun).some((one) => one === row['indexed']))
    impossible.push('index');
  return impossible;
}

function indexes(isUnderWay: boolean, hasBegun: boolean): readonly string[] {
  if (isUnderWay) return ['not'];
  return hasBegun ? ['not', 'whole', 'large', 'gone'] : ['not', 'whole', 'gone'];
}

function entries(links: readonly SaidLink[], isUnderWay: boolean, hasBegun: boolean): readonly string[] {
  const story: Partial<RunRecord> = Object.assign({}, links[0]?.said);
  if (story.historyMode !== 'file' || story.attested !== undefined) return [];
  if (isUnderWay) return ['wanted'];
  return hasBegun || story.refusal?.code === 'forbidden' ? ['pending', 'written'] : [];
}
