import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTRACT_NAMES, contractEnvironment, parseOutputs, shellQuote } from '../../../src/core/contract.ts';

const FACTS = {
  runId: 'R',
  step: 'S',
  outputFile: '/o',
  maskFile: '/m',
  correlationId: 'c-1',
  callChain: ['A.md', "it's.md"],
  token: 't.t.t',
  apiUrl: 'http://h/api/runbooks',
  execDirHost: '/w',
  stubs: '/stubs',
};

describe('contractEnvironment', () => {
  it('sets exactly the names of the contract', () => {
    expect(new Set(Object.keys(contractEnvironment(FACTS)))).toEqual(CONTRACT_NAMES);
  });

  it('tells of stand-ins only in a rehearsal', () => {
    expect(contractEnvironment(FACTS)['RUNBOOK_STUBS']).toBe('/stubs');
    expect(Object.keys(contractEnvironment({ ...FACTS, stubs: null }))).not.toContain('RUNBOOK_STUBS');
  });

  it('leaves out what needs a token where there is none', () => {
    const names = Object.keys(contractEnvironment({ ...FACTS, token: null }));
    expect(names).not.toContain('RUNBOOK_API_TOKEN');
    expect(names).not.toContain('RUNBOOK_H_AUTH');
  });

  it('quotes RUNBOOK_HEADERS so that eval gives the headers back, whatever they hold', () => {
    const { RUNBOOK_HEADERS } = contractEnvironment({ ...FACTS, callChain: [`"; touch /tmp/x; echo "$(id)'`] });
    const words = execFileSync('/bin/sh', ['-c', `eval "set -- $RUNBOOK_HEADERS"; printf '%s\\n' "$@"`], {
      env: { RUNBOOK_HEADERS },
      encoding: 'utf8',
    })
      .trimEnd()
      .split('\n');
    expect(words).toEqual([
      '-H',
      `X-Recursion-Stack: ${JSON.stringify([`"; touch /tmp/x; echo "$(id)'`])}`,
      '-H',
      'X-Correlation-Id: c-1',
      '-H',
      'Authorization: Bearer t.t.t',
      '-H',
      'Content-Type: application/json',
    ]);
  });
});

describe('shellQuote', () => {
  it('is one word with the same text for a shell (100 texts)', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed()),
        (text) => {
          expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellQuote(text)}`], { encoding: 'utf8' })).toBe(text);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('parseOutputs', () => {
  it('reads NAME=value and heredoc lines of declared names', () => {
    const { values, errors } = parseOutputs('A=1=2\n\nB<<END\nx\nA=no\nEND\nC=\n', ['A', 'B', 'C']);
    expect([...values]).toEqual([
      ['A', '1=2'],
      ['B', 'x\nA=no'],
      ['C', ''],
    ]);
    expect(errors).toEqual([]);
  });

  it.each([
    ['PATH=/tmp', /PATH was written/],
    ['nonsense', /neither NAME=value/],
    ['A<<END\nx\n', /no end line END/],
  ])('names what is wrong in %j', (text, message) => {
    const { values, errors } = parseOutputs(text, ['A']);
    expect(values.size).toBe(0);
    expect(errors[0]).toMatch(message);
  });
});
