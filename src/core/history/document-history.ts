/** Reading what stands under `# History`: entries of ours, of Stage0, and an entry that was torn at the end. */
import { MAX_ENTRY_BYTES } from './document-entry.ts';
import type { EntryFacts } from './entry-facts.ts';
import { entryDigest, MACHINE_LINE_START, readMachineLine } from './entry-facts.ts';
import { linesOf, Lookahead } from './lines.ts';
import type { ShownText } from './visible-text.ts';

/** An entry of ours that is exactly as it was written. The texts are as they are shown, null where there is none. */
export interface OwnEntry {
  readonly origin: 'runbook';
  readonly facts: EntryFacts;
  readonly stdout: ShownText | null;
  readonly stderr: ShownText | null;
  readonly error: ShownText | null;
}

/** An entry of Stage0, or one of ours that is torn or has been changed: only its heading can be told. */
export interface ForeignEntry {
  readonly origin: 'foreign';
  readonly finishedAt: string;
  readonly exitCode: number;
}

const HEADING = /^### (\d{4}-\d\d-\d\dT[\d:.]+Z) \| Exit Code: (-?\d+)[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const INCOMPLETE = '*The entry above is incomplete: it could not be written to its end.*';

/**
 * The entries of a document, in order. `history` is its text from `# History` on. Only headings outside of fences and
 * comments count, and only a machine line whose digest holds is believed.
 */
export function readEntries(history: string): readonly (OwnEntry | ForeignEntry)[] {
  return [...entriesOf(linesOf(history))];
}

/** The same of lines that come one by one (`linesOfChunks`); never holds more of them than an entry has. */
export function* entriesOf(history: Iterable<string>): Generator<OwnEntry | ForeignEntry> {
  const lines = new Lookahead(history);
  let fence: string | null = null;
  let isComment = false;
  for (let line = lines.next(); line !== null; line = lines.next()) {
    if (isComment) {
      isComment = !line.includes('-->');
    } else if (fence !== null) {
      if (closes(line, fence)) fence = null;
    } else {
      const heading = HEADING.exec(line);
      if (heading !== null) {
        const [finishedAt = '', exitCode = ''] = heading.slice(1);
        const own = readOwn(lines, finishedAt, Number(exitCode));
        yield own ?? { origin: 'foreign', finishedAt, exitCode: Number(exitCode) };
        // Behind the blank line, the machine line and the body, which were verified as one piece.
        if (own !== null) lines.skip(2 + own.facts.lines);
      }
      fence = FENCE.exec(line)?.[1] ?? null;
      isComment = /^ {0,3}<!--/.test(line) && !line.includes('-->');
    }
  }
}

/**
 * What has to be written between the end of a document and a new entry, so that the entry stands by itself: a blank
 * line, and the end of a fence or comment that an entry torn by a full disk left open.
 * `tail` is the end of the document, at least the size of an entry.
 */
export function jointAfter(tail: string): string {
  const closing = closingOf(linesOf(tail));
  const end = closing === '' ? tail : closing;
  return closing + (end === '' || end.endsWith('\n\n') ? '' : end.endsWith('\n') ? '\n' : '\n\n');
}

/** Whether a document ends with an entry that is not there to its end. */
export function isTorn(tail: string): boolean {
  return closingOf(linesOf(tail)) !== '';
}

function closingOf(lines: readonly string[]): string {
  const last = lines.at(-1) ?? '';
  const newLine = last === '' ? '' : '\n';
  const at = lines.findLastIndex((line) => readMachineLine(line) !== null);
  const facts = readMachineLine(lines[at] ?? '');
  if (facts !== null && !isWhole(facts, bodyOf(lines, at, facts))) {
    let fence: string | null = null;
    for (const line of lines.slice(at + 1)) {
      if (fence === null) fence = FENCE.exec(line)?.[1] ?? null;
      else if (closes(line, fence)) fence = null;
    }
    if (fence !== null) return `${newLine}${fence}\n\n${INCOMPLETE}\n\n`;
    if (lines.length - at - 2 < facts.lines) return `${newLine}\n${INCOMPLETE}\n\n`;
  }
  const isTornComment =
    last.startsWith('<!--') &&
    !last.includes('-->') &&
    (last.startsWith(MACHINE_LINE_START) || MACHINE_LINE_START.startsWith(last));
  return isTornComment ? ` -->\n\n${INCOMPLETE}\n\n` : '';
}

/** `lines` stand behind the heading. */
function readOwn(lines: Lookahead, finishedAt: string, exitCode: number): OwnEntry | null {
  const facts = lines.peek(0) === '' ? readMachineLine(lines.peek(1) ?? '') : null;
  if (facts === null || facts.finished !== finishedAt || facts.exit !== exitCode) return null;
  let body = '';
  for (let n = 0; n < facts.lines; n += 1) {
    const line = lines.peek(2 + n);
    // Whatever the machine line says, no entry is longer than that.
    if (line === null || body.length > MAX_ENTRY_BYTES) return null;
    body += `${line}\n`;
  }
  if (!isWhole(facts, body)) return null;
  return { origin: 'runbook', facts, ...blocksOf(body) };
}

function bodyOf(lines: readonly string[], machineLine: number, facts: EntryFacts): string {
  const body = lines.slice(machineLine + 1, machineLine + 1 + facts.lines);
  return body.map((line) => `${line}\n`).join('');
}

function isWhole({ digest, ...facts }: EntryFacts, body: string): boolean {
  return digest === entryDigest(facts, body);
}

/** The texts of a body that is known to be ours. */
function blocksOf(body: string): Pick<OwnEntry, 'stdout' | 'stderr' | 'error'> {
  const texts: Record<string, ShownText> = {};
  const block =
    /\n\*\*(\w+):\*\*\n(`{3,})\n([^]*?)\n\2\n(?:\n\*(\d+) bytes are left out here;.*\*\n\n\2\n([^]*?)\n\2\n)?/y;
  for (let match = block.exec(body); match !== null; match = block.exec(body)) {
    const [, label = '', , head = '', omitted, tail] = match;
    texts[label] = { head, omittedBytes: Number(omitted ?? 0), tail: tail ?? null };
  }
  return { stdout: texts['Stdout'] ?? null, stderr: texts['Stderr'] ?? null, error: texts['Error'] ?? null };
}

function closes(line: string, fence: string): boolean {
  const run = /^ {0,3}(`+|~+)[ \t]*$/.exec(line)?.[1] ?? '';
  return run.startsWith(fence);
}
