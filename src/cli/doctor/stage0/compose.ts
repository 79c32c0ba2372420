/** What a compose file says of its services, as far as it matters here; every part with its line. Pure. */
import { LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { RunbookError } from '../../../core/errors.ts';

/** A value, and its line in the file. */
export interface Said<T> {
  readonly value: T;
  readonly line: number;
}

export interface Volume {
  /** Null: none that is named, as for a tmpfs. */
  readonly source: string | null;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface Service {
  readonly name: string;
  readonly line: number;
  readonly image: string;
  /** In order; a value that comes from outside and is not set there is null. */
  readonly environment: ReadonlyMap<string, Said<string | null>>;
  readonly envFiles: readonly string[];
  readonly volumes: readonly Said<Volume>[];
  /** Ports of the container that are published. */
  readonly ports: readonly Said<string>[];
  readonly command: Said<string> | null;
  readonly entrypoint: Said<string> | null;
  readonly healthcheck: Said<string> | null;
  readonly user: Said<string> | null;
  readonly workingDir: string | null;
}

type Outside = ReadonlyMap<string, string>;
type Mapping = Readonly<Record<string, unknown>>;

/** @param outside what `${NAME}` stands for. @throws RunbookError `usage` with its line */
export function parseCompose(text: string, file: string, outside: Outside): readonly Service[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, merge: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lineCounter.linePos(error.pos[0]);
    throw new RunbookError('usage', `${file}:${line}: this is not YAML: ${error.message.split('\n')[0] ?? ''}`, {
      fix: 'Correct it; `docker compose config` shows it, too.',
    });
  }
  const services = asMapping(asMapping(contentOf(document, file))['services']);
  return Object.entries(services).map(([name, service]) => {
    const lineOf = liner(document, lineCounter, ['services', name]);
    return readService(name, asMapping(service), lineOf, outside);
  });
}

function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new RunbookError('usage', `${file} names parts of itself too often.`, {
      fix: 'Write out its anchors, as `docker compose config` does.',
      cause: error,
    });
  }
}

type LineOf = (...place: readonly (string | number)[]) => number;

/** What was merged in from elsewhere has the line of what it was merged into. */
function liner(document: Document, lines: LineCounter, before: readonly string[]): LineOf {
  const at = (place: readonly (string | number)[]): number | null => {
    const node: unknown = document.getIn([...before, ...place], true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : null;
    return Array.isArray(range) && typeof range[0] === 'number' ? lines.linePos(range[0]).line : null;
  };
  return (...place) => {
    for (let depth = place.length; depth >= 0; depth -= 1) {
      const line = at(place.slice(0, depth));
      if (line !== null) return line;
    }
    return 1;
  };
}

function readService(name: string, service: Mapping, lineOf: LineOf, outside: Outside): Service {
  const said = (key: string): Said<string> | null => {
    const value = service[key];
    if (value === undefined || value === null) return null;
    return { value: fill(words(value), outside) ?? '', line: lineOf(key) };
  };
  const healthcheck = asMapping(service['healthcheck'])['test'];
  return {
    name,
    line: lineOf(),
    image: fill(textOf(service['image'] ?? ''), outside) ?? '',
    environment: readEnvironment(service['environment'], lineOf, outside),
    envFiles: asList(service['env_file']).map((one) => textOf(asMapping(one)['path'] ?? one)),
    volumes: asList(service['volumes']).flatMap((one, index) => {
      const volume = readVolume(one, outside);
      return volume === null ? [] : [{ value: volume, line: lineOf('volumes', index) }];
    }),
    ports: asList(service['ports']).map((one, index) => ({
      value: portOf(one, outside),
      line: lineOf('ports', index),
    })),
    command: said('command'),
    entrypoint: said('entrypoint'),
    healthcheck: healthcheck === undefined ? null : { value: words(healthcheck), line: lineOf('healthcheck', 'test') },
    user: said('user'),
    workingDir: said('working_dir')?.value ?? null,
  };
}

function readEnvironment(value: unknown, lineOf: LineOf, outside: Outside): Service['environment'] {
  const entries: (readonly [name: string, value: string | null, line: number])[] = Array.isArray(value)
    ? value.map((one, index) => {
        const [name = '', ...rest] = textOf(one).split('=');
        return [name, rest.length === 0 ? null : rest.join('='), lineOf('environment', index)];
      })
    : Object.entries(asMapping(value)).map(([name, one]) => [
        name,
        one === null ? null : textOf(one),
        lineOf('environment', name),
      ]);
  return new Map(
    entries.map(([name, text, line]) => [
      name,
      // A name alone is taken from outside.
      { value: text === null ? (outside.get(name) ?? null) : fill(text, outside), line },
    ]),
  );
}

function readVolume(one: unknown, outside: Outside): Volume | null {
  if (typeof one !== 'string') {
    const { source, target, read_only: readOnly } = asMapping(one);
    if (target === undefined) return null;
    return {
      source: source === undefined ? null : fill(textOf(source), outside),
      target: fill(textOf(target), outside) ?? '',
      readOnly: readOnly === true,
    };
  }
  const [first = '', second, modes = ''] = (fill(one, outside) ?? one).split(/:(?!-)/);
  if (second === undefined) return { source: null, target: first, readOnly: false };
  return { source: first, target: second, readOnly: modes.split(',').includes('ro') };
}

/** The port of the container: the last part, without its protocol. */
function portOf(one: unknown, outside: Outside): string {
  const target = asMapping(one)['target'];
  const text = fill(textOf(target ?? one), outside) ?? '';
  return (
    text
      .split(':')
      .at(-1)
      ?.replace(/\/\w+$/, '') ?? ''
  );
}

const REFERENCE = /\$(?:(\$)|\{([A-Za-z_]\w*)(?:(:?[-?+])([^}]*))?\}|([A-Za-z_]\w*))/g;

/** As compose fills it in. Null where it is nothing but a reference to what is not set. */
export function fill(text: string, outside: Outside): string | null {
  let isUnset = false;
  const filled = text.replaceAll(
    REFERENCE,
    (_, dollar?: string, braced?: string, operator = '', other = '', bare?: string) => {
      if (dollar !== undefined) return '$';
      const value = outside.get(braced ?? bare ?? '');
      const isThere = value !== undefined && (!operator.startsWith(':') || value !== '');
      if (operator.endsWith('+')) return isThere ? other : '';
      if (isThere) return value;
      if (operator.endsWith('-')) return fill(other, outside) ?? '';
      isUnset = true;
      return '';
    },
  );
  return isUnset && filled === '' ? null : filled;
}

function words(value: unknown): string {
  return asList(value).map(textOf).join(' ');
}
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
function asList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
function asMapping(value: unknown): Mapping {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value));
}
