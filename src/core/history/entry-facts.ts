/** The one line of an entry that is for machines: an HTML comment with what is known of the run. See ADR 0005. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../chain.ts';

/** What the machine line holds, as base64url of its JSON. */
export interface EntryFacts {
  readonly run: string;
  readonly finished: string;
  readonly exit: number;
  readonly outcome: string;
  readonly subject: string | null;
  /** Bytes of the streams as they were given, shown or not. */
  readonly stdout: number;
  readonly stderr: number;
  readonly dropped: number;
  /** Lines of the entry behind the machine line. */
  readonly lines: number;
  /** `entryDigest` of all this and of those lines. */
  readonly digest: string;
}

export const MACHINE_LINE_START = '<!-- runbook:v1 ';
const MACHINE_LINE_END = ' -->';

export function machineLine(facts: EntryFacts): string {
  return MACHINE_LINE_START + Buffer.from(canonicalJson(facts)).toString('base64url') + MACHINE_LINE_END;
}

/** Null where the line is not a machine line of this version. */
export function readMachineLine(line: string): EntryFacts | null {
  if (!line.startsWith(MACHINE_LINE_START) || !line.endsWith(MACHINE_LINE_END)) return null;
  const base64url = line.slice(MACHINE_LINE_START.length, -MACHINE_LINE_END.length);
  try {
    const facts: unknown = JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
    return isEntryFacts(facts) ? facts : null;
  } catch {
    return null;
  }
}

const FACT_TYPES: Readonly<Record<Exclude<keyof EntryFacts, 'subject'>, 'string' | 'number'>> = {
  run: 'string',
  finished: 'string',
  exit: 'number',
  outcome: 'string',
  stdout: 'number',
  stderr: 'number',
  dropped: 'number',
  lines: 'number',
  digest: 'string',
};

function isEntryFacts(value: unknown): value is EntryFacts {
  if (typeof value !== 'object' || value === null) return false;
  const facts = new Map<string, unknown>(Object.entries(value));
  const subject = facts.get('subject');
  return (
    facts.size === Object.keys(FACT_TYPES).length + 1 &&
    Object.entries(FACT_TYPES).every(([name, type]) => typeof facts.get(name) === type) &&
    (subject === null || typeof subject === 'string') &&
    Number.isSafeInteger(facts.get('lines'))
  );
}

/** SHA-256, lower-case hex, over the facts (canonical JSON), a line feed, and the lines behind the machine line. */
export function entryDigest(facts: Omit<EntryFacts, 'digest'>, body: string): string {
  return createHash('sha256')
    .update(`${canonicalJson(facts)}\n${body}`)
    .digest('hex');
}
