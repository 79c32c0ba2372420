import fc from 'fast-check';
import { expect, it } from 'vitest';
import { traceParentOf } from '../../../src/server/trace-context.ts';
import { tries } from '../../helpers/property.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

it('takes what the standard takes', () => {
  expect(traceParentOf({ traceparent: `00-${TRACE}-${PARENT}-01` })).toBe(`00-${TRACE}-${PARENT}-01`);
  expect(traceParentOf({ traceparent: `cc-${TRACE}-${PARENT}-01-what-the-future` })).toBe(`00-${TRACE}-${PARENT}-01`);
});

it.each([
  undefined,
  '',
  `00-${TRACE}-${PARENT}`,
  `00-${TRACE}-${PARENT}-01-more`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-01\n`,
  ` 00-${TRACE}-${PARENT}-01`,
])('passes over %j', (traceparent) => {
  expect(traceParentOf({ traceparent })).toBeNull();
});

it('gives nothing but what is harmless, whatever it gets', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,4}$/));
  fc.assert(
    fc.property(text, (traceparent) => {
      expect(traceParentOf({ traceparent }) ?? `00-${TRACE}-${PARENT}-00`).toMatch(
        /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
      );
    }),
    tries(2000, 100_000),
  );
});
