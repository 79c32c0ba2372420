import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorize, explainMissing } from '../../../src/core/claims.ts';
import type { Claims } from '../../../src/core/claims.ts';
import type { ClaimAlternative } from '../../../src/core/runbook.ts';
import { times } from '../../helpers/property.ts';

const ROWS = times(500, 20_000);

const need = (claim: string, ...anyOf: string[]): ClaimAlternative => [{ claim, anyOf }];

/** Few words, so that rows agree and disagree about equally often. */
const words = fc.constantFrom('admin', 'admin', 'sre', 'guest, admin', '42', 'true', 'Admin');
const odd = fc.constantFrom<unknown>(42, 42.5, 0, -0, 1e21, true, false, null, {}, { admin: true }, '', ' sre', 'null');
const scalars = fc.oneof({ arbitrary: words, weight: 3 }, { arbitrary: odd, weight: 1 });
const values = fc.oneof(scalars, fc.array(fc.oneof(scalars, fc.constant(['admin'])), { maxLength: 6 }));
const names = fc.constantFrom('roles', 'roles', 'team', 'constructor');
const tokens = fc.record({ roles: values, team: values, other: values }, { requiredKeys: ['roles'] });
const alternatives = fc.array(fc.record({ claim: names, anyOf: fc.array(words, { maxLength: 4 }) }), {
  minLength: 0,
  maxLength: 2,
});

function texts(value: unknown): Set<string> {
  const found = new Set<string>();
  for (const item of [value].flat(1)) {
    switch (typeof item) {
      case 'string':
        found.add(item);
        break;
      case 'number':
      case 'boolean':
        found.add(item === 0 ? '0' : String(item));
        break;
      default:
    }
  }
  return found;
}

/** The rule told the other way round: every claim that is asked for must contribute one equal pair of texts. */
function oracle(claims: Claims, required: readonly ClaimAlternative[]): boolean {
  const own = new Map(Object.entries(claims).map(([name, value]) => [name, texts(value)]));
  return required.some((all) => {
    let met = 0;
    for (const { claim, anyOf } of all) if (anyOf.some((text) => own.get(claim)?.has(text))) met++;
    return met > 0 && met === all.length;
  });
}

describe('authorize', () => {
  test(`agrees with the rule on ${ROWS} rows`, () => {
    const count = { allowed: 0, refused: 0 };
    fc.assert(
      fc.property(tokens, fc.array(alternatives, { maxLength: 4, size: 'large' }), (claims, required) => {
        const { allowed } = authorize(claims, required);
        expect(allowed).toBe(oracle(claims, required));
        count[allowed ? 'allowed' : 'refused']++;
      }),
      { numRuns: ROWS, endOnFailure: true },
    );
    process.stdout.write(`claims: ${count.allowed} rows allowed, ${count.refused} refused\n`);
    expect(Math.min(count.allowed, count.refused)).toBeGreaterThan(ROWS / 20);
  });

  test.each<readonly [name: string, claims: Claims, required: readonly ClaimAlternative[], allowed: boolean]>([
    ['a list', { roles: ['dev', 'sre'] }, [need('roles', 'sre')], true],
    ['a text', { roles: 'sre' }, [need('roles', 'sre', 'dba')], true],
    ['a comma in a text does not split', { team: 'guest, platform' }, [need('team', 'platform')], false],
    ['nor in a list', { roles: ['guest,admin'] }, [need('roles', 'admin')], false],
    ['but the whole text is itself', { team: 'guest, platform' }, [need('team', 'guest, platform')], true],
    ['a list written as text', { roles: "['admin'" }, [need('roles', 'admin')], false],
    ['a number', { level: 3 }, [need('level', '3')], true],
    ['a number in another spelling', { level: 3 }, [need('level', '3.0')], false],
    ['a boolean', { mfa: true }, [need('mfa', 'true')], true],
    ['not as another language writes it', { mfa: true }, [need('mfa', 'True')], false],
    ['case', { roles: 'SRE' }, [need('roles', 'sre')], false],
    ['spaces', { roles: 'sre ' }, [need('roles', 'sre')], false],
    ['null', { roles: null }, [need('roles', 'null')], false],
    ['an object', { roles: { sre: true } }, [need('roles', 'sre', '[object Object]')], false],
    ['a list in a list', { roles: [['sre']] }, [need('roles', 'sre')], false],
    ['an empty list', { roles: [] }, [need('roles', 'sre', '')], false],
    ['a claim of the prototype', {}, [need('constructor', 'Object'), need('__proto__', 'x')], false],
    ['all claims of an alternative', { a: '1', b: '2' }, [[...need('a', '1'), ...need('b', '2')]], true],
    ['one is not enough', { a: '1', b: '3' }, [[...need('a', '1'), ...need('b', '2')]], false],
    ['any alternative', { b: '2' }, [need('a', '1'), need('b', '2')], true],
    [
      'claims of two alternatives do not add up',
      { a: '1', d: '4' },
      [
        [...need('a', '1'), ...need('b', '2')],
        [...need('c', '3'), ...need('d', '4')],
      ],
      false,
    ],
    ['an alternative without claims lets nobody in', { roles: 'sre' }, [[]], false],
    ['nor does a claim without values', { roles: 'sre' }, [need('roles')], false],
    ['no alternative', { roles: 'sre' }, [], false],
  ])('%s', (_name, claims, required, allowed) => {
    expect(authorize(claims, required).allowed).toBe(allowed);
  });

  test('without a token nobody gets in', () => {
    expect(authorize(null, [need('roles', 'sre')])).toEqual({
      allowed: false,
      missing: [{ claim: 'roles', required: ['sre'], actual: null }],
      alternatives: 1,
      anonymous: true,
    });
    expect(authorize(null, [[]]).allowed).toBe(false);
  });

  test('what is missing belongs to the alternative that lacks least', () => {
    const required = [[...need('a', '1'), ...need('b', '2')], need('c', '3'), [...need('d', '4'), ...need('e', '5')]];
    expect(authorize({ a: '0' }, required)).toMatchObject({ missing: [{ claim: 'c', actual: null }], alternatives: 3 });
  });
});

describe('explainMissing', () => {
  test.each<readonly [claims: Claims | null, required: readonly ClaimAlternative[], sentence: string]>([
    [
      { roles: ['developer'] },
      [need('roles', 'sre', 'dba')],
      'needs roles = sre or dba; your token has roles = developer',
    ],
    [
      { roles: ['a', 'b', 'c'] },
      [need('roles', 'x', 'y', 'z')],
      'needs roles = x, y or z; your token has roles = a, b and c',
    ],
    [{}, [need('roles', 'sre')], 'needs roles = sre; your token has no roles'],
    [{ roles: [] }, [need('roles', 'sre')], 'needs roles = sre; your token has no value in roles'],
    [
      { team: 'x' },
      [[...need('roles', 'sre'), ...need('team', 'core')]],
      'needs roles = sre and team = core; your token has no roles and team = x',
    ],
    [{ a: '1' }, [need('b', '2'), need('c', '3')], 'needs b = 2 (the nearest of 2 alternatives); your token has no b'],
    [null, [need('roles', 'sre')], 'needs roles = sre; no token was given'],
    [{ team: 'guest, core' }, [need('team', 'core')], 'needs team = core; your token has team = "guest, core"'],
    [{ a: 'x or y' }, [need('a', '')], 'needs a = ""; your token has a = "x or y"'],
    [{ a: '1' }, [], 'needs claims, but the runbook names none that could be met'],
  ])('%j', (claims, required, sentence) => {
    expect(explainMissing(authorize(claims, required))).toBe(sentence);
  });

  test('has nothing to say where somebody is allowed', () => {
    expect(explainMissing(authorize({ a: '1' }, [need('a', '1')]))).toBe('');
  });

  test('shows what a terminal would hide or obey', () => {
    const sentence = explainMissing(authorize({ a: '\u001b[2J\u202e\u200b"\n\ud800' }, [need('a', 'x')]));
    expect(sentence).toBe(String.raw`needs a = x; your token has a = "\u{1b}[2J\u{202e}\u{200b}\u{22}\u{a}\u{d800}"`);
  });

  test('cuts what is long, and counts what it leaves out', () => {
    const many = Array.from({ length: 12 }, (_, index) => `role-${index}`);
    const sentence = explainMissing(authorize({ roles: many }, [need('roles', 'x'.repeat(10_000))]));
    expect(sentence).toBe(
      `needs roles = ${'x'.repeat(60)}…; your token has roles = role-0, role-1, role-2, role-3 and 8 more`,
    );
  });

  test('is one bounded, printable line whatever claims hold', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(
        fc.dictionary(text, fc.oneof(text, fc.array(text, { maxLength: 20 })), { maxKeys: 20 }),
        fc.array(fc.array(fc.record({ claim: text, anyOf: fc.array(text, { maxLength: 20 }) }), { maxLength: 20 }), {
          maxLength: 3,
        }),
        (claims, required) => {
          const sentence = explainMissing(authorize(claims, required));
          expect(sentence).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          expect(sentence.length).toBeLessThan(2500);
        },
      ),
      { numRuns: ROWS },
    );
  });
});
