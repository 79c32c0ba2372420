/** A run as JUnit's XML, which most pipelines show: a test suite a run, a test case a step. */
import type { RunbookError } from '../../core/errors.ts';
import type { StepResult } from '../../core/run.ts';
import { xmlAttributes, xmlText } from '../../core/xml.ts';
import type { RunReport } from './report.ts';

export function junitOfRun({ document, result, isRehearsal, failed, lastLines }: RunReport): string {
  const { steps, outcome, reason, runId, startedAt, durationMs } = result;
  const cases = steps.map((step) => stepCase(document, step, step === failed ? lastLines : []));
  // It ended badly, and no step is why.
  const isOdd = outcome !== 'succeeded' && failed === null;
  if (isOdd) cases.push(testCase({ name: 'run', classname: document }, failure('error', outcome, reason ?? '', [])));
  const facts = {
    name: document,
    tests: cases.length,
    failures: failed === null ? 0 : 1,
    errors: isOdd ? 1 : 0,
    skipped: steps.filter((step) => step.outcome === 'skipped').length,
    time: seconds(durationMs),
    timestamp: startedAt.slice(0, 19),
  };
  const properties = { runId, outcome, rehearsal: String(isRehearsal) };
  return suites(facts, cases, properties);
}

/** Nothing of it was started. */
export function junitOfRefusal({ code, message, fix, problems, document }: RunbookError, reference: string): string {
  const name = document === '' ? reference : document;
  const lines = problems.map(
    (problem) => `${document}:${problem.line}:${problem.column}: ${problem.message} (${problem.rule})`,
  );
  const cases = [
    testCase({ name: 'start', classname: name }, failure('error', code, message, [...lines, `fix: ${fix}`])),
  ];
  return suites({ name, tests: 1, failures: 0, errors: 1, skipped: 0, time: seconds(0) }, cases, {});
}

function stepCase(document: string, step: StepResult, lines: readonly string[]): string {
  const { name, line, outcome, durationMs, reason = '' } = step;
  const facts = { name, classname: document, file: document, line, time: seconds(durationMs) };
  if (outcome === 'succeeded') return testCase(facts, '');
  if (outcome === 'skipped') return testCase(facts, `<skipped${xmlAttributes({ message: reason })}/>`);
  return testCase(facts, failure('failure', outcome, reason, lines));
}

function failure(element: 'failure' | 'error', type: string, message: string, lines: readonly string[]): string {
  return `<${element}${xmlAttributes({ message, type })}>${xmlText(lines.join('\n'))}</${element}>`;
}

function testCase(facts: Readonly<Record<string, string | number>>, inner: string): string {
  return inner === ''
    ? `    <testcase${xmlAttributes(facts)}/>\n`
    : `    <testcase${xmlAttributes(facts)}>${inner}</testcase>\n`;
}

function suites(
  facts: Readonly<Record<string, string | number>>,
  cases: readonly string[],
  properties: Readonly<Record<string, string>>,
): string {
  const rows = Object.entries(properties).map(([name, value]) => `<property${xmlAttributes({ name, value })}/>`);
  const known = rows.length === 0 ? '' : `    <properties>${rows.join('')}</properties>\n`;
  const suite = `  <testsuite${xmlAttributes(facts)}>\n${known}${cases.join('')}  </testsuite>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suite}</testsuites>\n`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
