/** Schemas that have a title are written once, under `components`, and referred to from everywhere else. */
import { isDeepStrictEqual } from 'node:util';
import type { Schema } from './openapi.ts';

export interface Components {
  /** What stands in the place of `value`: the same with references instead of named schemas. */
  place(value: unknown): unknown;
  /** The named schemas that were met, by name. */
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** Texts that happen to be called `title` (the member of a problem document, say) name nothing. */
export function collectComponents(): Components {
  const schemas = new Map<string, Schema>();
  const place = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(place);
    if (typeof value !== 'object' || value === null) return value;
    const name = 'title' in value && 'type' in value ? value.title : null;
    if (typeof name !== 'string' || !/^[A-Z]\w+$/.test(name)) return members(value);
    const { title: _, ...schema } = members(value);
    const known = schemas.get(name);
    if (known !== undefined && !isDeepStrictEqual(known, schema))
      throw new TypeError(`two schemas have the name ${name}`);
    schemas.set(name, schema);
    return { $ref: `#/components/schemas/${name}` };
  };
  /** Examples are data. */
  const members = (value: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, name.startsWith('example') ? (item as unknown) : place(item)]),
    );
  return {
    place,
    get schemas() {
      return Object.fromEntries([...schemas].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    },
  };
}
