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

function contrary(one: string, other: string): RunbookError {
  return new RunbookError('usage', `${one} and ${other} exclude each other.`, { fix: 'Leave one of them out.' });
}
