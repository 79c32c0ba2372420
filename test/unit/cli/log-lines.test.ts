import { expect, it } from 'vitest';
import { readableLine } from '../../../src/cli/log-lines.ts';

it('is one line for a person, whatever strangers wrote', () => {
  const line = JSON.stringify({
    level: 'warn',
    time: '2026-01-23T14:33:02.123Z',
    subject: 'anna\n14:33:02.124 info  forged\u001b[2J',
    runId: null,
    roles: ['sre'],
    msg: 'RBAC failure',
  });
  expect(readableLine(`${line}\n`, false)).toBe(
    '14:33:02.123 warn  RBAC failure subject=anna\\n14:33:02.124 info  forged\\u{1b}[2J roles=["sre"]\n',
  );
  expect(readableLine(line, true)).toContain('\u001b[33mwarn');
});

it('leaves what is no line of the log as it is', () => {
  expect(readableLine('something else\n', false)).toBe('something else\n');
});
