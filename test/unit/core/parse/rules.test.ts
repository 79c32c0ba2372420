import { describe, expect, test } from 'vitest';
import { RULES } from '../../../../src/core/parse/rules.ts';
import { CASES } from './cases.ts';
import { parse } from './documents.ts';

/** Near headings of claims may be nearly something else as well; what counts is that the document is refused. */
const MAY_COME_ALONG = new Set(['section-misspelt', 'section-unknown', 'section-missing']);

describe('each rule', () => {
  test.each(CASES)('$rule: $name', ({ rule, text, options, line, also }) => {
    const { runbook, problems } = parse(text, options);
    const found = problems.find((problem) => problem.rule === rule);
    expect(problems.map((problem) => problem.rule)).toContain(rule);
    expect(found?.severity).toBe(RULES[rule].severity);
    expect(found?.line).toBe(line ?? found?.line);
    const expected = new Set<string>([rule, ...(also ?? []), ...MAY_COME_ALONG]);
    const others = problems.filter((problem) => !expected.has(problem.rule));
    expect(others).toEqual([]);
    const hasErrors = problems.some(({ severity }) => severity === 'error');
    expect(runbook === null).toBe(hasErrors);
    expect(runbook === null || RULES[rule].severity === 'warning').toBe(true);
  });

  test('is broken by a case', () => {
    const covered = new Set<string>(CASES.map(({ rule }) => rule));
    expect(Object.keys(RULES).filter((rule) => !covered.has(rule))).toEqual([]);
  });

  test('has an id in kebab case and a meaning of one sentence', () => {
    for (const [id, { meaning }] of Object.entries(RULES)) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
      expect(meaning).toMatch(/^[^.\n].*\.$/);
    }
  });
});
