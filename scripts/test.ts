/**
 * `npm test`: build, format, lint, types, unused code, all tests; the first failure ends it. The last line counts the tests.
 * With `CI=true` a skipped test is a failure. `--long` runs the property tests at their large figures.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execaSync } from 'execa';
import { installSystemTools } from './system-tools.ts';

const long = process.argv.includes('--long');
const isCi = process.env['CI'] === 'true';

function step(name: string, command: string, ...args: readonly string[]): void {
  const began = performance.now();
  const { exitCode } = execaSync(command, args, { stdio: 'inherit', reject: false, preferLocal: true });
  console.log(`${exitCode === 0 ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  if (exitCode === 0) return;
  console.log(`\n0 passed, 1 failed`);
  process.exit(1);
}

installSystemTools();
step('build', 'node', 'scripts/build.ts');
step('format', 'oxfmt', '--check', '.');
step('lint', 'oxlint', '--quiet');
step('types', 'tsc', '--noEmit');
step('unused', 'knip');

const folder = mkdtempSync(path.join(tmpdir(), 'runbook-test-'));
const report = path.join(folder, 'report.json');
const { exitCode } = execaSync(
  'vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  {
    stdio: 'inherit',
    reject: false,
    preferLocal: true,
    env: long ? { RUNBOOK_TEST_LONG: '1' } : {},
  },
);

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
}
const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
  readFileSync(report, 'utf8'),
) as Report;
rmSync(folder, { recursive: true });

// A file that could not even be loaded has no tests to count.
const failed = Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0);
const skipFails = isCi && numPendingTests > 0;
if (skipFails) console.log(`${numPendingTests} tests were skipped, and with CI=true a skip is a failure.`);
const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
console.log(`\n${numPassedTests} passed, ${failed + (skipFails ? numPendingTests : 0)} failed${skipped}`);
process.exit(exitCode === 0 && failed === 0 && !skipFails ? 0 : 1);
