import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonObject, parseStrictJson } from '../../../../src/adapters/authenticator/strict-json.ts';
import { times } from '../../../helpers/property.ts';

const RUNS = times(1000, 50_000);

const objects = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })).filter((value) => !hasProto(value));

function hasProto(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasProto);
  return isJsonObject(value) && (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProto));
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function spell(key: string, escaped: boolean): string {
  if (!escaped) return JSON.stringify(key);
  const units = [...Array(key.length).keys()].map((at) => key.charCodeAt(at).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

/** @returns null for a text that is refused; anything but a SyntaxError is a bug */
function parsed(text: string): unknown {
  try {
    return parseStrictJson(bytes(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

describe('strict JSON', () => {
  test('means what JSON means', () => {
    fc.assert(
      fc.property(objects, fc.constantFrom(0, 1, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: RUNS },
    );
  });

  test('a key twice is found wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.string(),
        objects,
        fc.array(fc.tuple(fc.string(), fc.boolean()), { maxLength: 6 }),
        fc.boolean(),
        fc.constantFrom('', ' ', '\n\t'),
        (key, value, path, escaped, space) => {
          const rest = JSON.stringify({ ...value, [key]: undefined }).slice(1);
          const inner = `{${spell(key, escaped)}${space}:1,${JSON.stringify(key)}:${JSON.stringify(value)}${rest === '}' ? '}' : `,${rest}`}`;
          const text = path.reduce(
            (below, [name, list]) =>
              list ? `{"l":[${JSON.stringify(name)},${below}]}` : `{${JSON.stringify(name)}:${below}}`,
            inner,
          );
          expect(() => parseStrictJson(bytes(text))).toThrow(/key twice|__proto__/);
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('takes nothing that JSON.parse refuses', () => {
    fc.assert(
      fc.property(objects, fc.nat(), fc.string({ minLength: 1, maxLength: 2 }), (value, at, insert) => {
        const good = JSON.stringify(value);
        const text = good.slice(0, at % (good.length + 1)) + insert + good.slice(at % (good.length + 1));
        const strict = parsed(text);
        expect(strict === null || isDeepStrictEqual(strict, JSON.parse(new TextDecoder().decode(bytes(text))))).toBe(
          true,
        );
      }),
      { numRuns: RUNS },
    );
  });

  test.each([
    ['{"a":[[]]}', true],
    [`{"a":${'['.repeat(31)}${']'.repeat(31)}}`, true],
    [`{"a":${'['.repeat(32)}${']'.repeat(32)}}`, false],
    [`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, false],
    ['{"__proto__":1}', false],
    ['{"__proto":1,"a":"__proto__"}', true],
    ['"{}"', false],
    ['[{}]', false],
  ])('%.60s', (text, good) => {
    expect(parsed(text) !== null).toBe(good);
  });
});
