/** A run that looks after others, in the middle of its own end, writes its own entry once all the same. */
import { expect, it } from 'vitest';
import { examine, NOTHING_WRONG } from '../helpers/oracle.ts';
import { createScene, runOnce } from '../helpers/scene.ts';

it.each([
  'before ledger.finish',
  'after ledger.finish',
  'before documentHistory.append',
  'after documentHistory.append',
])('who looks after runs %s leaves the entry to whom it belongs', async (place) => {
  const scene = createScene();
  const { exitCode, said } = await runOnce(scene, { fault: { place, nth: 1, does: 'recover' } });
  expect({ exitCode, said }).toEqual({ exitCode: 0, said: [] });
  const { findings, figures } = await examine(scene, scene.told);
  expect(findings).toEqual(NOTHING_WRONG);
  expect(figures).toMatchObject({ finished: 1 });
});
