import { describe, expect, it } from 'vitest';
import { RunbookError } from '../../../src/core/errors.ts';
import { environmentName, fileKey, resolveSettings, SETTING_NAMES, SETTINGS } from '../../../src/core/settings.ts';
import type { SettingName, SettingSource } from '../../../src/core/settings.ts';

function source(origin: SettingSource['origin'], values: Partial<Record<SettingName, string>>): SettingSource {
  const entries = SETTING_NAMES.flatMap((name) => {
    const text = values[name];
    return text === undefined ? [] : [[name, { text, label: `${origin}:${name}` }] as const];
  });
  return { origin, values: new Map(entries) };
}

function failure(...sources: readonly SettingSource[]): RunbookError {
  try {
    resolveSettings(sources);
  } catch (error) {
    if (error instanceof RunbookError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('settings', () => {
  it('have defaults, and say that they are defaults', () => {
    const { settings, origins } = resolveSettings([]);
    expect(settings.jwtIssuer).toBe('dev-idp');
    expect(settings.maxOutput).toBe(10 * 1024 ** 2);
    expect([...origins.values()].every(({ origin }) => origin === 'default')).toBe(true);
  });

  it('are taken from flag, environment, project, user and operator file, in this order', () => {
    const all = (['flag', 'environment', 'project file', 'user file', 'operator file'] as const).map((origin, index) =>
      source(origin, { timeout: `${index + 1}s` }),
    );
    for (let first = 0; first < all.length; first += 1) {
      const { settings, origins } = resolveSettings(all.slice(first).reverse());
      expect(settings.timeout).toBe((first + 1) * 1000);
      expect(origins.get('timeout')?.origin).toBe(all[first]?.origin);
    }
  });

  it('of the operator are decided by the operator’s file, whatever flag and environment say', () => {
    const { settings } = resolveSettings([
      source('flag', { maxTimeout: '9h' }),
      source('environment', { maxTimeout: '8h' }),
      source('operator file', { maxTimeout: '1h' }),
    ]);
    expect(settings.maxTimeout).toBe(3_600_000);
  });

  it.each(['jwtSecret', 'history', 'passEnv', 'stateDir', 'token', 'jwtJwks'] as const)(
    '%s is refused in a project’s file',
    (name) => {
      const error = failure(source('project file', { [name]: 'x' }));
      expect(error.code).toBe('settings');
      expect(error.message).toContain(`may not set \`${fileKey(name)}\``);
    },
  );

  it('of a project’s file are refused also where something else would win', () => {
    expect(failure(source('flag', { history: 'ledger' }), source('project file', { history: 'none' })).code).toBe(
      'settings',
    );
  });

  it.each([
    ['timeout', '90', 'a duration'],
    ['maxOutput', '10', 'a size'],
    ['maxRecursionDepth', '-1', 'an integer'],
    ['apiPort', 'http', 'an integer'],
    ['history', 'files', 'one of auto, file, ledger, none'],
  ] as const)('%s = %s is refused', (name, text, form) => {
    const error = failure(source('environment', { [name]: text }));
    expect(error.message).toContain(`environment:${name}: “${text}” is not ${form}`);
  });

  it('have names for the environment and for files, all of them different', () => {
    expect(environmentName('jwtRolesClaim')).toBe('RUNBOOK_JWT_ROLES_CLAIM');
    expect(fileKey('maxRecursionDepth')).toBe('max_recursion_depth');
    expect(new Set(SETTING_NAMES.map(environmentName)).size).toBe(SETTING_NAMES.length);
    for (const name of SETTING_NAMES) expect(SETTINGS[name].description).toMatch(/\.$/);
  });
});
