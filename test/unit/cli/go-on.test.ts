import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goOnCommand } from '../../../src/cli/go-on.ts';
import { times } from '../../helpers/property.ts';

const valueOptions = new Set(['-e', '--env', '--from', '--only', '--timeout', '--token']);
const command = (words: readonly string[], step = 'Drain', wanted: readonly string[] = []): string | null =>
  goOnCommand({ program: ['runbook'], words, valueOptions }, { kind: 'from', step }, wanted);

/** What a shell makes of the line. */
function pasted(line: string): readonly string[] {
  const shown = execFileSync('/bin/sh', ['-c', `runbook() { printf '%s\\0' "$@"; }\n${line}`], { encoding: 'utf8' });
  return shown.split('\0').slice(0, -1);
}

describe('the line to paste', () => {
  test.each([
    ['execute DrainNode --env NODE=worker-7', 'execute DrainNode --env NODE=worker-7 --from Drain'],
    ['execute --from Cordon DrainNode', 'execute DrainNode --from Drain'],
    ['execute DrainNode --from=Cordon -y', 'execute DrainNode -y --from Drain'],
    ['execute DrainNode --only Cordon --from 3', 'execute DrainNode --from Drain'],
    // A value is none of ours, whatever it looks like.
    ['execute --env --from DrainNode', 'execute --env --from DrainNode --from Drain'],
    ['execute -e --only=x DrainNode', 'execute -e --only=x DrainNode --from Drain'],
    ['execute --timeout 5m -- DrainNode', 'execute --timeout 5m --from Drain -- DrainNode'],
    ['execute -- --from', 'execute --from Drain -- --from'],
    ['execute DrainNode --from', 'execute DrainNode --from Drain'],
    ['execute DrainNode --fromage', 'execute DrainNode --fromage --from Drain'],
  ])('of %j', (typed, line) => {
    expect(command(typed.split(' '))).toBe(`runbook ${line}`);
  });

  test('asks for what was made for the run', () => {
    expect(command(['execute', 'A'], "Don't stop", ['PASSWORD'])).toBe(
      `runbook execute A --env PASSWORD --from 'Don'\\''t stop'`,
    );
  });

  test('is none where a screen would not show it as it is', () => {
    for (const text of ['\u001b[31m', 'a\tb', 'a\u202eb', 'a\rb']) {
      expect(command(['execute', 'A', '--env', `X=${text}`])).toBeNull();
      expect(command(['execute', 'A'], text)).toBeNull();
    }
  });

  test(`is the same words to a shell (${times(40, 1000)} command lines)`, () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => text.isWellFormed() && !/^--(?:from|only)|^--$|\0/.test(text) && !valueOptions.has(text));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), word, (words, step) => {
        const line = command(words, step);
        fc.pre(line !== null);
        expect(pasted(line)).toEqual([...words, '--from', step]);
      }),
      { numRuns: times(40, 1000) },
    );
  });
});
