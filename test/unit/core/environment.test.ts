import { describe, expect, it } from 'vitest';
import {
  checkVariables,
  matchesName,
  recordVariables,
  resolveVariables,
  selectEnvironment,
} from '../../../src/core/environment.ts';
import type { VariableSources } from '../../../src/core/environment.ts';
import { looksSecret } from '../../../src/core/runbook.ts';
import type { EnvRequirement } from '../../../src/core/runbook.ts';

const declare = (name: string, more: Partial<EnvRequirement> = {}): EnvRequirement => ({
  name,
  description: '',
  typed: true,
  type: 'text',
  secret: false,
  line: 7,
  ...more,
});
const sources = (
  more: Partial<Record<'given' | 'envFile' | 'caller', Record<string, string>>> = {},
): VariableSources => ({
  given: new Map(Object.entries(more.given ?? {})),
  envFile: new Map(Object.entries(more.envFile ?? {})),
  caller: new Map(Object.entries(more.caller ?? {})),
  wanted: [],
  generate: (length) => 'g'.repeat(length),
});

describe('resolveVariables', () => {
  it('prefers flag, file, environment, default, generated', () => {
    const requirement = declare('A', { default: 'default' });
    const value = (more: Parameters<typeof sources>[0]) =>
      resolveVariables([requirement], sources(more)).values.get('A');
    expect(value({ given: { A: '1' }, envFile: { A: '2' }, caller: { A: '3' } })).toMatchObject({
      value: '1',
      origin: 'given',
    });
    expect(value({ envFile: { A: '2' }, caller: { A: '3' } })).toMatchObject({ value: '2', origin: 'env-file' });
    expect(value({ caller: { A: '3' } })).toMatchObject({ value: '3', origin: 'environment' });
    expect(value({})).toMatchObject({ value: 'default', origin: 'default' });
    expect(resolveVariables([declare('S', { secret: true, generate: 9 })], sources()).values.get('S')).toMatchObject({
      value: 'ggggggggg',
      origin: 'generated',
    });
  });

  it('takes undeclared names only from what the caller gives by name', () => {
    const { values } = resolveVariables(
      [],
      sources({ given: { A: '1' }, envFile: { A: '2', B: '2' }, caller: { C: '3' } }),
    );
    expect([...values].map(([name, { value, origin }]) => [name, value, origin])).toEqual([
      ['A', '1', 'given'],
      ['B', '2', 'env-file'],
    ]);
  });

  it('takes wanted names from the environment before an env file, and misses them where they are not there', () => {
    const wanting = {
      ...sources({ envFile: { A: '2', B: '2' }, caller: { A: '3', B: '3' } }),
      wanted: ['A', 'C', 'D_TOKEN'],
    };
    const { values, missing } = resolveVariables([declare('A'), declare('B')], wanting);
    expect([...values].map(([name, { value, origin }]) => [name, value, origin])).toEqual([
      ['A', '3', 'environment'],
      ['B', '2', 'env-file'],
    ]);
    expect(missing.map(({ name, secret }) => [name, secret])).toEqual([
      ['C', false],
      ['D_TOKEN', true],
    ]);
  });

  it('counts an empty value as a value', () => {
    expect(resolveVariables([declare('A')], sources({ caller: { A: '' } })).missing).toEqual([]);
  });
});

describe('checkVariables', () => {
  it('names every missing and every wrong variable at the line of its declaration', () => {
    const { values, missing } = resolveVariables(
      [declare('A'), declare('N', { type: 'integer', line: 9 })],
      sources({ given: { N: 'x', EXTRA: 'a\0b' } }),
    );
    expect(checkVariables(values, missing).map(({ rule, line }) => [rule, line])).toEqual([
      ['variable-missing', 7],
      ['variable-wrong', 9],
      ['variable-wrong', 1],
    ]);
  });

  it('never holds a value', () => {
    const { values } = resolveVariables(
      [declare('PIN', { secret: true, pattern: '^[0-9]+$' })],
      sources({ given: { PIN: 'canary' } }),
    );
    expect(JSON.stringify(checkVariables(values, []))).not.toContain('canary');
  });
});

describe('recordVariables', () => {
  it('keeps the value of typed, open variables only', () => {
    const { values } = resolveVariables(
      [declare('A'), declare('B', { typed: false }), declare('C', { secret: true })],
      sources({ given: { A: 'a', B: 'b', C: 'c', D: 'd' } }),
    );
    expect(recordVariables(values, (value) => `mac(${value})`)).toEqual([
      { name: 'A', origin: 'given', value: 'a' },
      { name: 'B', origin: 'given', hmac: 'mac(b)' },
      { name: 'C', origin: 'given', hmac: 'mac(c)' },
      { name: 'D', origin: 'given', hmac: 'mac(d)' },
    ]);
  });
});

describe('names', () => {
  it('match exactly, or by prefix with a star', () => {
    expect(matchesName('LC_*', 'LC_ALL')).toBe(true);
    expect(matchesName('LC_*', 'XLC_ALL')).toBe(false);
    expect(matchesName('PATH', 'PATHS')).toBe(false);
    expect(['HTTPS_PROXY', 'PROXY', 'X_PROXY_Y'].map((name) => matchesName('*_PROXY', name))).toEqual([
      true,
      false,
      false,
    ]);
    expect(matchesName('*', 'ANY')).toBe(true);
    expect([
      ...selectEnvironment(
        new Map([
          ['A', '1'],
          ['B', '2'],
        ]),
        ['B'],
      ),
    ]).toEqual([['B', '2']]);
  });

  it.each([
    'DB_PASSWORD',
    'VAULT_TOKEN',
    'AWS_SECRET_ACCESS_KEY',
    'API_KEY',
    'TOKEN',
    'my_secret',
    'GITHUB_PAT',
    'DB_PWD',
    'PGPASSWORD',
    'SSHPASS',
    'SMTP_PASS',
  ])('%s looks like a secret', (name) => {
    expect(looksSecret(name)).toBe(true);
  });
  it.each(['PWD', 'OLDPWD', 'KEYBOARD', 'TOKENS_PER_MINUTE', 'HOST', 'MONKEY', 'COMPASS', 'BYPASS'])(
    '%s does not',
    (name) => {
      expect(looksSecret(name)).toBe(false);
    },
  );
});
