/** What `validate` takes, and which of it goes together. Loaded at every start: it imports next to nothing. */
import { RunbookError } from '../../../core/errors.ts';
import type { CommonOptions } from '../../context.ts';

export const FORMATS = ['text', 'json', 'sarif', 'junit', 'github'] as const;
export type Format = (typeof FORMATS)[number];

export interface ValidateOptions extends CommonOptions {
  readonly ready?: boolean;
  readonly strict?: boolean;
  readonly format?: Format;
  readonly output?: string;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
  readonly watch?: boolean;
}

/** What stands for the document on stdin. */
export const STDIN = '-';

/** @throws RunbookError `usage` */
export function formatOf({ format, json, fix, dryRun, watch, output }: ValidateOptions): Format {
  const chosen = format ?? (json === true ? 'json' : 'text');
  if (json === true && chosen !== 'json') throw contrary('--json', `--format ${chosen}`);
  if (dryRun === true && fix !== true) {
    throw new RunbookError('usage', '--dry-run is for --fix.', { fix: 'Write `--fix --dry-run`, or leave it out.' });
  }
  // The difference is what is printed then.
  if (dryRun === true && chosen !== 'text') throw contrary('--dry-run', `--format ${chosen}`);
  if (watch !== true) return chosen;
  if (fix === true) throw contrary('--watch', '--fix');
  if (chosen !== 'text') throw contrary('--watch', `--format ${chosen}`);
  if (output !== undefined) throw contrary('--watch', '--output');
  return chosen;
}

/**
 * Whether stdout is the repaired document's, as it is of a formatter in a pipe; nothing else may go there then.
 * @throws RunbookError `usage`
 */
export function printsDocument(documents: readonly string[], options: ValidateOptions, format: Format): boolean {
  const { fix, dryRun, watch, output } = options;
  const count = documents.filter((document) => document === STDIN).length;
  if (count === 0) return false;
  if (count > 1) throw new RunbookError('usage', '- is given twice; there is one stdin.', { fix: 'Give it once.' });
  if (watch === true) throw contrary('--watch', '- (stdin)');
  if (fix !== true || dryRun === true) return false;
  const isElsewhere = output !== undefined && !isStdout(output);
  if (isElsewhere || (format === 'text' && output === undefined)) return true;
  throw new RunbookError('usage', 'With `--fix -` stdout is the repaired document, so the report cannot go there.', {
    fix: 'Add `--output FILE` for the report, or leave --fix out.',
  });
}

/** The second cannot be opened where it is a socket. */
export function isStdout(output: string): boolean {
  return output === '-' || output === '/dev/stdout';
}

function contrary(one: string, other: string): RunbookError {
  return new RunbookError('usage', `${one} and ${other} exclude each other.`, { fix: 'Leave one of them out.' });
}
