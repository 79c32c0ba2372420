/** docs/errors.md says what the table says, no less and no more. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS, OUTCOME_EXITS, RunbookError } from '../../../src/core/errors.ts';
import { exitCodeOf } from '../../../src/core/run.ts';
import { REPOSITORY } from '../../helpers/cli.ts';

const DOCUMENT = readFileSync(path.join(REPOSITORY, 'docs/errors.md'), 'utf8');

/** Text of a `## ` section. */
function section(title: string): string {
  const start = DOCUMENT.indexOf(`\n## ${title}\n`);
  if (start < 0) throw new Error(`docs/errors.md has no section ${title}`);
  const end = DOCUMENT.indexOf('\n## ', start + 1);
  return DOCUMENT.slice(start, end < 0 ? undefined : end);
}

/** Cells of the rows of the table of a section, without its head. */
function rows(title: string): readonly (readonly string[])[] {
  return section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('docs/errors.md', () => {
  test('has every code with both of its numbers and its meaning, in order, and no other', () => {
    const documented = rows('Errors').map(([code, exit, status, meaning]) => [code, exit, status, meaning]);
    const table = Object.entries(ERRORS).map(([code, { exit, status, meaning }]) => [
      `\`${code}\``,
      String(exit),
      String(status),
      meaning,
    ]);
    expect(documented).toEqual(table);
  });

  test('says for every code what to do', () => {
    for (const row of rows('Errors')) {
      expect(row).toHaveLength(5);
      expect(row[4]).toMatch(/\.$/);
    }
  });

  test('has every outcome with its exit code, and no other', () => {
    const own = ['succeeded', 'failed'] as const;
    const table = Object.entries(OUTCOME_EXITS).map(([outcome, { exit, meaning }]) => [
      `\`${outcome}\``,
      String(exit),
      meaning,
    ]);
    expect(rows('Outcomes').slice(own.length)).toEqual(table);
    expect(
      rows('Outcomes')
        .slice(0, own.length)
        .map(([outcome]) => outcome),
    ).toEqual(own.map((name) => `\`${name}\``));
  });

  test('shows for every code how it reads, in order', () => {
    const examples = section('How each of them reads').split('\n### ').slice(1);
    expect(examples.map((example) => example.slice(0, example.indexOf('\n')))).toEqual(
      Object.keys(ERRORS).map((code) => `\`${code}\``),
    );
    for (const example of examples)
      expect(example).toMatch(/```console\n\$ .*runbook .*\n(?:.*\n)*?runbook: error: \S/);
  });

  test('names the numbers of a canceled run as the program gives them', () => {
    for (const [signal, exit] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
      ['SIGPIPE', 141],
    ] as const) {
      expect(exitCodeOf({ outcome: 'canceled', exitCode: null, signal })).toBe(exit);
      expect(section('Outcomes')).toContain(String(exit));
    }
    expect(exitCodeOf({ outcome: 'failed', exitCode: null, signal: 'SIGKILL' })).toBe(137);
    expect(exitCodeOf({ outcome: 'failed', exitCode: 77, signal: null })).toBe(77);
  });
});

describe('the table', () => {
  test('has numbers that a shell and HTTP can carry, and no exit code of an ended run', () => {
    for (const { exit, status } of Object.values(ERRORS)) {
      expect(exit).toBeGreaterThanOrEqual(64);
      expect(exit).toBeLessThanOrEqual(78);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
    }
  });

  test('gives an error its exit code', () => {
    expect(new RunbookError('forbidden', 'No.', { fix: 'Ask.' }).exitCode).toBe(ERRORS.forbidden.exit);
  });
});
