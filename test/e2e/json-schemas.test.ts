/** What the commands print with `--json` is what schemas/ says; and the schemas refuse everything that is nearly that. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../src/core/errors.ts';
import { SETTING_NAMES } from '../../src/core/settings.ts';
import { classic, createHome, REPOSITORY } from '../helpers/cli.ts';
import { AUTH, execute, SECRET } from '../helpers/json-calls.ts';
import { SITUATIONS } from '../helpers/json-situations.ts';
import { asObject, mutations, readSchema, SCHEMAS, violations } from '../helpers/schemas.ts';

describe.each(SITUATIONS)('$schema: $name', ({ schema, exit, prepare, shows = [], optional = [] }) => {
  test('fits its schema and no other, and whatever is nearly it does not', async () => {
    const home = createHome();
    const { args, after, ...options } = await prepare(home);
    const { stdout, stderr, exitCode } = await home.run([...args, '--json'], options);
    await after?.();
    const document: unknown = JSON.parse(stdout);

    expect(violations(schema, document)).toEqual([]);
    for (const text of shows) expect(stdout).toContain(text);
    // With its messages, so that a failure explains itself.
    expect({ exitCode, stderr }).toEqual({ exitCode: exit, stderr });
    expect(SCHEMAS.filter((name) => violations(name, document).length === 0)).toEqual([schema]);
    // Not every problem is about something that has a name.
    const accepted = mutations(document, new Set([...optional, 'about'])).filter(
      (mutation) => violations(schema, mutation.document).length === 0,
    );
    expect(accepted.map(({ label }) => label)).toEqual([]);
  });
});

describe('what only a schema can get wrong', () => {
  test('the codes of errors are those of the table', () => {
    const { errorCode } = asObject(readSchema('common')['$defs']);
    expect(asObject(errorCode)['enum']).toEqual(Object.keys(ERRORS));
  });

  test('a value out of its range is refused', async () => {
    const home = createHome();
    const { args } = execute(home, classic('Task', 'exit 3'));
    const document = await home.json(args);
    const result = asObject(document['result']);
    const spoilt = [
      { ...document, schemaVersion: 2 },
      { ...document, command: 'list' },
      { ...document, exitCode: 256 },
      { ...document, exitCode: 0 },
      { ...document, result: { ...result, outcome: 'succeeded' } },
      { ...document, result: { ...result, outcome: 'exploded' } },
      { ...document, result: { ...result, runId: 'abc' } },
      { ...document, result: { ...result, startedAt: 'yesterday' } },
      { ...document, result: { ...result, signal: 'Killed' } },
    ];
    expect(violations('execute', document)).toEqual([]);
    for (const one of spoilt) expect(violations('execute', one)).not.toEqual([]);
  });

  test('a secret is in no document of the settings, and one that were there is refused', async () => {
    const home = createHome();
    const env = { ...AUTH, RUNBOOK_TOKEN: SECRET };
    const { stdout } = await home.run(['config', '--json'], { env });
    expect(stdout).not.toContain(SECRET);

    expect(asObject(JSON.parse(stdout))['settings']).toHaveLength(SETTING_NAMES.length);
    const shown = stdout.replaceAll('"(secret)"', JSON.stringify(SECRET));
    expect(shown).toContain(SECRET);
    expect(violations('config', JSON.parse(shown))).not.toEqual([]);
  });

  test('a setting of a file fits the schema', async () => {
    const home = createHome();
    home.write('.runbook.yaml', 'timeout: 5m\n');
    const document = await home.json(['config']);
    expect(violations('config', document)).toEqual([]);
  });

  test('every schema has its name, a description and a row in the README of the folder', () => {
    const files = readdirSync(path.join(REPOSITORY, 'schemas')).filter((file) => file.endsWith('.json'));
    expect(files.sort()).toEqual([...SCHEMAS, 'common'].map((name) => `${name}.schema.json`).sort());
    const readme = readFileSync(path.join(REPOSITORY, 'schemas/README.md'), 'utf8');
    for (const name of [...SCHEMAS, 'common'] as const) {
      const schema = readSchema(name);
      expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
      expect(schema['$id']).toBe(`runbook:${name}/1`);
      expect(schema['title']).toMatch(/./);
      expect(schema['description']).toMatch(/./);
      expect(readme).toContain(`(${name}.schema.json)`);
    }
  });
});
