/** The schemas of the machine-readable output, ready to be applied, and ways to spoil a document that they accept. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { REPOSITORY } from './cli.ts';

export const SCHEMAS = [
  'execute',
  'plan',
  'validate',
  'new',
  'list',
  'show',
  'history',
  'audit',
  'ps',
  'cancel',
  'pause',
  'resume',
  'report',
  'login',
  'logout',
  'config',
  'doctor',
  'token-mint',
  'serve',
  'error',
] as const;
export type SchemaName = (typeof SCHEMAS)[number];

export function readSchema(name: SchemaName | 'common'): Readonly<Record<string, unknown>> {
  return asObject(JSON.parse(readFileSync(path.join(REPOSITORY, 'schemas', `${name}.schema.json`), 'utf8')));
}

/** @throws TypeError for anything but a JSON object */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new TypeError(`this is no object: ${JSON.stringify(value)}`);
  return value;
}
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Not strict about types and required members: a condition (`if`) names them without declaring them once more.
const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
});
addFormats.default(ajv);
ajv.addSchema(readSchema('common'));
for (const name of SCHEMAS) ajv.addSchema(readSchema(name));

/** @returns what is wrong, one line each; empty for a document that fits */
export function violations(name: SchemaName, document: unknown): readonly string[] {
  const validate = ajv.getSchema(`runbook:${name}/1`);
  if (validate === undefined) throw new Error(`there is no schema runbook:${name}/1`);
  if (validate(document) === true) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message ?? error.keyword}`);
}

export interface Mutation {
  /** Path and what was done to it. */
  readonly label: string;
  readonly document: unknown;
}

/** Every document that differs in one place: a member too many, one too few (but `optional` ones), a value of another type. */
export function mutations(document: unknown, optional: ReadonlySet<string>): readonly Mutation[] {
  const found: Mutation[] = [];
  const visit = (value: unknown, at: string, replace: (by: unknown) => unknown): void => {
    if (at !== '')
      found.push({ label: `${at}: another type`, document: replace(isObject(value) ? [] : { unexpected: 1 }) });
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        visit(item, `${at}/${index}`, (by) => replace(value.with(index, by)));
    } else if (isObject(value)) {
      found.push({ label: `${at}: a member too many`, document: replace({ ...value, unexpected: 1 }) });
      for (const [name, member] of Object.entries(value)) {
        const rest = Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
        if (!optional.has(name)) found.push({ label: `${at}/${name}: not there`, document: replace(rest) });
        visit(member, `${at}/${name}`, (by) => replace({ ...value, [name]: by }));
      }
    }
  };
  visit(document, '', (by) => by);
  return found;
}
