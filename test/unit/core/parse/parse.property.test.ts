import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRunbook } from '../../../../src/core/parse/parse.ts';
import { RULES } from '../../../../src/core/parse/rules.ts';
import type { ParseResult, Problem, Runbook } from '../../../../src/core/runbook.ts';
import { tries } from '../../../helpers/property.ts';
import { documentBytes } from './fragments.ts';

/** A long run takes minutes; only a hang takes an hour. */
const HANG_MS = 3_600_000;

const SEVERITIES = new Map<string, string>(Object.entries(RULES).map(([id, { severity }]) => [id, severity]));
const OPTIONS = { fileName: 'A.md', today: '2026-11-22' };

/** Null when the problem is well formed, else what is wrong with it. */
function faultOf({ rule, severity, message, fix, line, column }: Problem, lines: number): string | null {
  if (SEVERITIES.get(rule) !== severity) return `${rule} is unknown or of another severity`;
  for (const text of [message, fix]) {
    if (!/^[^\p{Cc}\p{Cf}]+\.$/u.test(text) || !text.isWellFormed()) return `not a sentence: ${JSON.stringify(text)}`;
  }
  if (!Number.isInteger(line) || line < 1 || line > lines) return `line ${line} of ${lines}`;
  return Number.isInteger(column) && column >= 1 ? null : `column ${column}`;
}

/** Null when the runbook keeps what the parser promises. */
function faultOfRunbook(runbook: Runbook): string | null {
  if (runbook.steps.length === 0) return 'no step';
  if (runbook.kind === 'classic' && runbook.steps.length !== 1) return 'classic with several steps';
  for (const { name, script, manual } of runbook.steps) {
    if ((script === null) !== (manual !== undefined)) return `${name} has neither or both of script and manual`;
    if (script !== null && script.body.trim() === '') return `${name} has an empty script`;
  }
  for (const alternatives of [runbook.claims, runbook.readers]) {
    if (alternatives === null) continue;
    if (alternatives.length === 0) return 'no alternative';
    if (alternatives.some((all) => all.length === 0 || all.some(({ anyOf }) => anyOf.length === 0)))
      return 'empty claims';
  }
  return null;
}

function check(bytes: Uint8Array): ParseResult {
  const result = parseRunbook(bytes, OPTIONS);
  const { runbook, problems, digest, historyOffset } = result;
  const lines = Buffer.from(bytes).toString('latin1').split('\n').length;
  expect(problems.map((problem) => faultOf(problem, lines)).filter((fault) => fault !== null)).toEqual([]);
  expect(runbook === null).toBe(problems.some(({ severity }) => severity === 'error'));
  expect(runbook === null ? null : faultOfRunbook(runbook)).toBeNull();
  const head = bytes.subarray(0, historyOffset ?? bytes.length);
  expect(digest).toBe(createHash('sha256').update(head).digest('hex'));
  expect(historyOffset === null || historyOffset === 0 || bytes[historyOffset - 1] === 0x0a).toBe(true);
  return result;
}

test('any document: no throw, well-formed problems, kept promises', { timeout: HANG_MS }, () => {
  const counts: Record<string, number> = { valid: 0, invalid: 0 };
  const rules = new Set<string>();
  fc.assert(
    fc.property(documentBytes, (bytes) => {
      const { runbook, problems } = check(bytes);
      const verdict = runbook === null ? 'invalid' : 'valid';
      counts[verdict] = (counts[verdict] ?? 0) + 1;
      for (const { rule } of problems) rules.add(rule);
    }),
    tries(5000, 1_000_000),
  );
  process.stdout.write(`parser: ${JSON.stringify({ ...counts, rules: rules.size })}\n`);
  expect(counts['valid']).toBeGreaterThan(100);
  expect(rules.size).toBeGreaterThan(45);
});

test('any bytes', { timeout: HANG_MS }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(check(bytes).runbook).toBeNull();
    }),
    tries(2000, 200_000),
  );
});
