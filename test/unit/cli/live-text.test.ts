/** The words of the live line: which limit is meant, and what goes first where there is little room. */
import { expect, test } from 'vitest';
import { liveText } from '../../../src/cli/run/live-text.ts';
import type { StepProgress } from '../../../src/cli/run/live-text.ts';
import { widthOf } from '../../../src/core/width.ts';

const STEP: StepProgress = {
  step: 1,
  of: 4,
  name: 'Drain',
  elapsedMs: 72_400,
  timeoutMs: 600_000,
  runElapsedMs: 300_000,
  runTimeoutMs: null,
  silentMs: 0,
};

test.each<[string, Partial<StepProgress>, string]>([
  ['its own limit', {}, '2/4 Drain  1m12s of 10m'],
  ['no limit', { timeoutMs: null }, '2/4 Drain  1m12s'],
  ['the limit of the run, which comes first', { runTimeoutMs: 600_000 }, '2/4 Drain  1m12s, run 5m of 10m'],
  ['the limit of the run, which comes later', { runTimeoutMs: 3_600_000 }, '2/4 Drain  1m12s of 10m'],
  ['a run of one step', { of: 1, step: 0, timeoutMs: null, runTimeoutMs: 600_000 }, 'Drain  5m of 10m'],
  ['9 s without output', { silentMs: 9900 }, '2/4 Drain  1m12s of 10m'],
  ['10 s without output', { silentMs: 10_000 }, '2/4 Drain  1m12s of 10m  no output for 10s'],
  ['4 m without output', { silentMs: 299_000 }, '2/4 Drain  1m12s of 10m  no output for 4m'],
])('%s', (_name, changes, text) => {
  expect(liveText({ ...STEP, ...changes }, 80, false)).toBe(`| ${text}`);
});

test('silence goes first, then the time, then the name is cut; the last column stays free', () => {
  const long = { ...STEP, name: '排空节点 and everything on it', silentMs: 240_000 };
  expect(liveText(long, 50, true)).toMatch(/^⠹ 2\/4 排.*…? {2}1m12s of 10m {2}no output for 4m$/u);
  expect(liveText(long, 35, true)).toMatch(/^⠹ 2\/4 排.*… {2}1m12s of 10m$/u);
  expect(liveText(long, 18, true)).toMatch(/^⠹ 2\/4 排.*…$/u);
  for (let columns = 0; columns < 120; columns += 1)
    expect(widthOf(liveText(long, columns, true))).toBeLessThan(Math.max(1, columns));
});
