import { describe, expect, test } from 'vitest';
import { chooseSteps } from '../../../src/core/step-choice.ts';
import type { Step } from '../../../src/core/runbook.ts';
import { failureOf } from '../../helpers/failure.ts';

const step = (name: string): Step => ({ name, line: 1, script: null, tty: false, outputs: [] });
const runbook = (...names: readonly string[]) =>
  ({ name: 'DrainNode', kind: 'steps', steps: names.map(step) }) as const;
const NODE = runbook('Cordon', 'Drain', 'Drain again', 'Service the node', '2', '12 checks', 'Éclair');

describe('a step that is asked for', () => {
  test.each([
    ['Cordon', 0],
    ['cordon', 0],
    ['  Cordon ', 0],
    ['Drain', 1],
    ['DRAIN', 1],
    ['drain a', 2],
    ['serv', 3],
    ['1', 0],
    ['4', 3],
    ['7', 6],
    // Names come before numbers, numbers before beginnings.
    ['2', 4],
    ['12', 5],
    ['E\u0301clair', 6],
    ['éc', 6],
  ])('%j is step %i', (wanted, index) => {
    const { first, last, chosen } = chooseSteps(NODE, { kind: 'from', step: wanted });
    expect({ first, last, chosen }).toEqual({
      first: index,
      last: 6,
      chosen: { kind: 'from', step: NODE.steps[index]?.name },
    });
    expect(chooseSteps(NODE, { kind: 'only', step: wanted })).toMatchObject({ first: index, last: index });
  });

  test('is all of them where nothing was asked', () => {
    expect(chooseSteps(NODE, null)).toEqual({ first: 0, last: 6, chosen: null });
  });

  test.each([
    ['dra', /several steps begin with “dra”: 2 Drain, 3 Drain again\./, /more of the name/],
    ['Servce the node', /no step “Servce the node”\. The steps are: 1 Cordon, .*7 Éclair\./, /mean “Service the node”/],
    ['Reboot everything', /there is no step/, /or its number/],
    ['0', /there is no step “0”/, /./],
    ['8', /there is no step “8”/, /./],
    ['-1', /there is no step “-1”/, /./],
    ['', /there is no step “”/, /./],
    [' ', /there is no step/, /./],
  ])('%j is none of them', async (wanted, says, fix) => {
    const failure = await failureOf(() => chooseSteps(NODE, { kind: 'only', step: wanted }));
    expect(failure).toMatchObject({ code: 'usage', message: expect.stringMatching(says) as unknown });
    expect(failure).toMatchObject({ fix: expect.stringMatching(fix) as unknown });
  });

  test('cannot be one of a classic document', async () => {
    const classic = { ...runbook('Script'), kind: 'classic' } as const;
    const failure = await failureOf(() => chooseSteps(classic, { kind: 'from', step: 'Script' }));
    expect(failure).toMatchObject({ code: 'usage', message: '--from: DrainNode has no steps, it is one script.' });
    expect(chooseSteps(classic, null)).toMatchObject({ first: 0, last: 0 });
  });
});
