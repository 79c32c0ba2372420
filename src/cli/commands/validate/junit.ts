/** Problems as JUnit's XML, which most pipelines show: a test suite a document, a test case a problem. */
import type { Problem } from '../../../core/runbook.ts';
import { xmlAttributes, xmlText } from '../../../core/xml.ts';
import type { Validation } from '../../../engine/queries.ts';

/** Warnings are cases that passed and printed something. A document without problems is one case that passed. */
export function junitReport(validations: readonly Validation[], place: (shown: string) => string): string {
  const suites = validations.map((validation) => suite(validation, place(validation.displayPath)));
  const count = (severity: string | null): number =>
    validations.reduce((sum, { problems }) => sum + countOf(problems, severity), 0);
  const tests = validations.reduce((sum, { problems }) => sum + Math.max(1, problems.length), 0);
  const totals = xmlAttributes({ name: 'runbook validate', tests, failures: count('error'), errors: 0 });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${totals}>\n${suites.join('')}</testsuites>\n`;
}

function suite({ problems }: Validation, file: string): string {
  const tests = Math.max(1, problems.length);
  const facts = xmlAttributes({ name: file, tests, failures: countOf(problems, 'error'), errors: 0, skipped: 0, file });
  const cases =
    problems.length === 0
      ? [`    <testcase${xmlAttributes({ name: 'valid', classname: file, file })}/>\n`]
      : problems.map((problem) => testCase(problem, file));
  return `  <testsuite${facts}>\n${cases.join('')}  </testsuite>\n`;
}

function testCase({ severity, rule, message, fix, line, column }: Problem, file: string): string {
  const facts = xmlAttributes({ name: `${rule} in line ${line}`, classname: file, file, line });
  const text = xmlText(`${file}:${line}:${column}: ${severity}: ${message} (${rule})\n  fix: ${fix}`);
  const inner =
    severity === 'error'
      ? `<failure${xmlAttributes({ message, type: rule })}>${text}</failure>`
      : `<system-out>${text}</system-out>`;
  return `    <testcase${facts}>${inner}</testcase>\n`;
}

function countOf(problems: readonly Problem[], severity: string | null): number {
  return problems.filter((problem) => severity === null || problem.severity === severity).length;
}
