/** Entries of `# History`: how a run is written into its document. How they are read back: document-history.ts. */
import { entryDigest, machineLine } from './entry-facts.ts';
import type { ErrorCode } from '../errors.ts';
import type { Outcome } from '../run.ts';
import type { ShownText } from './visible-text.ts';
import { fitText } from './visible-text.ts';

/** What an entry says. `runId`, `outcome` and digests travel in the machine line; text is for people. */
export interface DocumentEntry {
  readonly runId: string;
  /** ISO 8601, UTC, with milliseconds. */
  readonly finishedAt: string;
  /** Stage0's number in the heading: the exit code, or 403 for a refused caller. */
  readonly exitCode: number;
  readonly outcome: Outcome | ErrorCode | 'interrupted';
  readonly subject: string | null;
  /** What is kept; of a long text at least `SHOWN_BYTES` of its beginning and as many of its end. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Bytes that are kept, but were left out in the middle of the buffers above. */
  readonly omitted: { readonly stdout: number; readonly stderr: number };
  /** Bytes that the run wrote and that are not kept. */
  readonly dropped: number;
  readonly error: string | null;
}

export const MAX_ENTRY_BYTES = 16 * 1024;
/** No entry shows more of its texts: 16 KiB minus the machine line never fits, and most entries fit at the first try. */
export const SHOWN_BYTES = 14_000;
const MAX_SUBJECT_CHARACTERS = 200;

/**
 * The entry as markdown, at most 16 KiB of UTF-8, with one heading, whatever the output holds. It begins with its
 * heading and ends with a line feed; see ADR 0005.
 * @throws TypeError when id, time or exit code are not what they should be
 */
export function renderEntry(entry: DocumentEntry): string {
  const isSound =
    /^[\w-]{1,64}$/.test(entry.runId) &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(entry.finishedAt) &&
    Number.isSafeInteger(entry.exitCode);
  if (!isSound) throw new TypeError(`run ${entry.runId} cannot be written as an entry`);
  for (let budget = SHOWN_BYTES; ; budget -= 500) {
    const text = compose(entry, budget);
    if (Buffer.byteLength(text) <= MAX_ENTRY_BYTES) return text;
  }
}

function compose(entry: DocumentEntry, textBudget: number): string {
  const body = composeBody(entry, textBudget);
  const facts = {
    run: entry.runId,
    finished: entry.finishedAt,
    exit: entry.exitCode,
    outcome: entry.outcome,
    subject: entry.subject === null ? null : shortSubject(entry.subject),
    stdout: entry.stdout.length + entry.omitted.stdout,
    stderr: entry.stderr.length + entry.omitted.stderr,
    dropped: entry.dropped,
    lines: body.split('\n').length - 1,
  };
  const line = machineLine({ ...facts, digest: entryDigest(facts, body) });
  return `### ${entry.finishedAt} | Exit Code: ${entry.exitCode}\n\n${line}\n${body}`;
}

function composeBody(entry: DocumentEntry, textBudget: number): string {
  const parts = [
    { label: 'Stdout', bytes: entry.stdout, omitted: entry.omitted.stdout },
    { label: 'Stderr', bytes: entry.stderr, omitted: entry.omitted.stderr },
    { label: 'Error', bytes: Buffer.from(entry.error ?? ''), omitted: 0 },
  ].filter(({ bytes }) => bytes.length > 0);

  const shown = new Map<string, ShownText>();
  let left = textBudget;
  // The short ones first: what they do not need is for the long ones.
  for (const [n, { label, bytes, omitted }] of parts
    .toSorted((a, b) => a.bytes.length + a.omitted - b.bytes.length - b.omitted)
    .entries()) {
    const text = fitText(bytes, Math.floor(left / (parts.length - n)));
    left -= Buffer.byteLength(text.head) + Buffer.byteLength(text.tail ?? '');
    shown.set(label, { ...text, omittedBytes: text.omittedBytes + omitted });
  }
  const blocks = parts.flatMap(({ label }) => {
    const text = shown.get(label);
    return text === undefined ? [] : [`\n**${label}:**\n${fenced(text, entry.runId)}`];
  });
  if (entry.dropped > 0) blocks.push(`\n${droppedNote(entry.dropped)}\n`);
  return blocks.join('');
}

/** What stands between two fences, so that output cannot say it. */
function omittedNote(bytes: number, runId: string): string {
  return `*${bytes} bytes are left out here; run ${runId} has them.*`;
}

function droppedNote(bytes: number): string {
  return `*${bytes} bytes of output are not kept.*`;
}

function fenced({ head, omittedBytes, tail }: ShownText, runId: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(head) + 1, longestRun(tail ?? '') + 1));
  // As in Stage0 the text keeps its own last line feed and gets one more.
  const block = (text: string): string => `${fence}\n${text}\n${fence}\n`;
  return tail === null ? block(head) : `${block(head)}\n${omittedNote(omittedBytes, runId)}\n\n${block(tail)}`;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

function shortSubject(subject: string): string {
  const text = subject.toWellFormed();
  return text.length <= MAX_SUBJECT_CHARACTERS
    ? text
    : `${text.slice(0, MAX_SUBJECT_CHARACTERS - 1).toWellFormed()}\u2026`;
}
