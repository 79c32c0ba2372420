/** The limits of a run: the smallest of what the caller, the runbook and the settings say; and whose word that was. */
import type { RunRequest } from '../core/run.ts';
import type { Limits } from '../core/runbook.ts';
import type { EngineLimits } from './ports.ts';

export const LIMIT_NAMES = [
  'timeout',
  'output',
  'concurrency',
  'memory',
  'processes',
  'file size',
  'open files',
] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

export interface DecidedLimit {
  /** What the runbook says; null: nothing. */
  readonly declared: number | null;
  /** Milliseconds, bytes or a number; null: none. */
  readonly value: number | null;
  /** Who set it: `--timeout` of the caller, the runbook, or a setting by its name; null: nobody. */
  readonly from: 'caller' | 'runbook' | `setting ${string}` | null;
}

type Source = readonly [from: NonNullable<DecidedLimit['from']>, value: number | null | undefined];

export function decideLimits(
  limits: EngineLimits,
  { timeoutMs, stubs }: Pick<RunRequest, 'timeoutMs' | 'stubs'>,
  declared: Limits,
): Readonly<Record<LimitName, DecidedLimit>> {
  const isOpen = timeoutMs === null && declared.timeoutMs === undefined;
  return {
    timeout: smallest(declared.timeoutMs, [
      ['caller', timeoutMs],
      ['runbook', declared.timeoutMs],
      ['setting timeout', isOpen ? limits.defaultTimeoutMs : null],
      ['setting max_timeout', limits.maxTimeoutMs],
    ]),
    output: smallest(declared.maxOutputBytes, [
      ['runbook', declared.maxOutputBytes],
      ['setting max_output', limits.maxOutputBytes],
    ]),
    // A rehearsal is in nobody's way.
    concurrency: smallest(declared.concurrency, [['runbook', stubs === null ? declared.concurrency : null]]),
    memory: smallest(declared.memoryBytes, [
      ['runbook', declared.memoryBytes],
      ['setting max_memory', limits.maxMemoryBytes],
    ]),
    processes: smallest(declared.processes, [
      ['runbook', declared.processes],
      ['setting max_processes', limits.maxProcesses],
    ]),
    'file size': smallest(undefined, [['setting max_file_size', limits.maxFileBytes]]),
    'open files': smallest(undefined, [['setting max_open_files', limits.maxOpenFiles]]),
  };
}

/** Of equal ones the first. */
function smallest(declared: number | undefined, sources: readonly Source[]): DecidedLimit {
  let least: readonly [DecidedLimit['from'], number | null] = [null, null];
  for (const [from, value] of sources) {
    if (value === null || value === undefined || (least[1] !== null && least[1] <= value)) continue;
    least = [from, value];
  }
  return { declared: declared ?? null, value: least[1], from: least[0] };
}
