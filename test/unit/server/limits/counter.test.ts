import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { memoryCounter } from '../../../../src/server/limits/counter.ts';

it('lets through what it may, however many ask at once, and says what is left and for how long', async () => {
  const counter = memoryCounter(5);
  const counts = await Promise.all(Array.from({ length: 50 }, async () => await counter.add('a')));
  expect(counts.filter(({ isOver }) => !isOver).map(({ left }) => left)).toEqual([4, 3, 2, 1, 0]);
  expect(counts.at(-1)).toMatchObject({ most: 5, left: 0, isOver: true });
  expect(counts.at(-1)?.restMs).toBeGreaterThan(0);
  expect(counts.at(-1)?.restMs).toBeLessThanOrEqual(60_000);
  expect((await counter.add('b')).isOver).toBe(false);
});

it('what is taken back does not count', async () => {
  const counter = memoryCounter(2);
  for (let n = 0; n < 20; n += 1) {
    expect((await counter.add('a')).isOver).toBe(false);
    await counter.takeBack('a');
  }
  expect([await counter.add('a'), await counter.add('a'), await counter.add('a')].map(({ isOver }) => isOver)).toEqual([
    false,
    false,
    true,
  ]);
});

it('a burst at the edge of its time gets one more share, and no third one', async () => {
  const counter = memoryCounter(5, 1);
  await counter.add('a');
  await delay(900);
  let passed = 1;
  const end = performance.now() + 600;
  while (performance.now() < end) {
    if (!(await counter.add('a')).isOver) passed += 1;
    await delay(1);
  }
  expect(passed).toBe(10);
});

it('keys of strangers do not fill the memory: beyond a number they count as one, and those that were known do not', async () => {
  const counter = memoryCounter(3, 60, 100);
  for (let n = 0; n < 100; n += 1) expect((await counter.add(`key ${n}`)).isOver).toBe(false);
  const late = await Promise.all(Array.from({ length: 500 }, async (_, n) => await counter.add(`late ${n}`)));
  expect(late.filter(({ isOver }) => !isOver)).toHaveLength(3);
  expect((await counter.add('key 7')).left).toBe(1);
});
