/** The smallest of what anybody says, and whose word that was. */
import { expect, test } from 'vitest';
import type { Limits } from '../../../src/core/runbook.ts';
import { decideLimits } from '../../../src/engine/limits.ts';
import type { LimitName } from '../../../src/engine/limits.ts';
import type { EngineLimits } from '../../../src/engine/ports.ts';

const SETTINGS: EngineLimits = {
  defaultTimeoutMs: null,
  maxTimeoutMs: null,
  maxOutputBytes: 100,
  maxRecursionDepth: 50,
  maxMemoryBytes: null,
  maxProcesses: null,
  maxFileBytes: null,
  maxOpenFiles: null,
};

interface Said {
  readonly settings?: Partial<EngineLimits>;
  readonly caller?: number;
  readonly runbook?: Limits;
  readonly stubs?: string;
}

test.each<readonly [said: Said, name: LimitName, value: number | null, from: string | null]>([
  [{}, 'timeout', null, null],
  [{ settings: { defaultTimeoutMs: 5 } }, 'timeout', 5, 'setting timeout'],
  [{ settings: { defaultTimeoutMs: 5 }, runbook: { timeoutMs: 9 } }, 'timeout', 9, 'runbook'],
  [{ settings: { defaultTimeoutMs: 5 }, caller: 9 }, 'timeout', 9, 'caller'],
  [{ caller: 7, runbook: { timeoutMs: 9 } }, 'timeout', 7, 'caller'],
  [{ caller: 9, runbook: { timeoutMs: 7 } }, 'timeout', 7, 'runbook'],
  [{ caller: 9, settings: { maxTimeoutMs: 3 } }, 'timeout', 3, 'setting max_timeout'],
  [{ settings: { maxTimeoutMs: 3 } }, 'timeout', 3, 'setting max_timeout'],
  [{ runbook: { timeoutMs: 3 }, settings: { maxTimeoutMs: 3 } }, 'timeout', 3, 'runbook'],
  [{}, 'output', 100, 'setting max_output'],
  [{ runbook: { maxOutputBytes: 50 } }, 'output', 50, 'runbook'],
  [{ runbook: { maxOutputBytes: 200 } }, 'output', 100, 'setting max_output'],
  [{ runbook: { concurrency: 1 } }, 'concurrency', 1, 'runbook'],
  [{ runbook: { concurrency: 1 }, stubs: '/stubs' }, 'concurrency', null, null],
  [{ runbook: { memoryBytes: 5 }, settings: { maxMemoryBytes: 4 } }, 'memory', 4, 'setting max_memory'],
  [{ runbook: { processes: 5 }, settings: { maxProcesses: 6 } }, 'processes', 5, 'runbook'],
  [{ settings: { maxFileBytes: 6 } }, 'file size', 6, 'setting max_file_size'],
  [{ settings: { maxOpenFiles: 16 } }, 'open files', 16, 'setting max_open_files'],
])('%j: %s is %s by %s', ({ settings = {}, caller = null, runbook = {}, stubs = null }, name, value, from) => {
  const decided = decideLimits({ ...SETTINGS, ...settings }, { timeoutMs: caller, stubs }, runbook);
  expect(decided[name]).toMatchObject({ value, from });
});
