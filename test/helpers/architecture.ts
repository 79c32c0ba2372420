/** The rules of the architecture, each a function over files that need not exist. */
import path from 'node:path';
import { importsOf, maskText } from './imports.ts';

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

type Layer = 'core' | 'engine' | 'adapters' | 'app' | 'version' | 'cli' | 'server';

/** Imports point inwards; `engine` and `adapters` meet only in core; nobody imports a face. */
const ALLOWED: Readonly<Record<Layer, readonly Layer[]>> = {
  core: ['core'],
  engine: ['core', 'engine'],
  adapters: ['core', 'adapters'],
  app: ['core', 'engine', 'adapters', 'app', 'version'],
  version: [],
  cli: ['core', 'engine', 'app', 'version', 'cli'],
  server: ['core', 'engine', 'app', 'version', 'server'],
};

/** What the inner layers may take from outside: text to data, and hashes. Neither reads nor writes anything. */
const OUTSIDE: Readonly<Partial<Record<Layer, readonly string[]>>> = {
  core: ['yaml', 'node:buffer', 'node:crypto'],
  engine: ['node:crypto'],
  version: [],
};

/** Where the environment of the process comes in; everybody else is told. */
const ENVIRONMENT_DOORS: ReadonlySet<string> = new Set(['src/cli/terminal.ts']);

const MAX_LINES = 300;

function layerOf(file: string): Layer | null {
  const [, top = ''] = /^src\/([^/]+?)(?:\/|\.ts$)/.exec(file) ?? [];
  return Object.keys(ALLOWED).find((layer): layer is Layer => layer === top) ?? null;
}

const at = (file: SourceFile, index: number): string => `${file.path}:${file.text.slice(0, index).split('\n').length}`;

const resolve = (file: SourceFile, specifier: string): string =>
  path.posix.join(path.posix.dirname(file.path), specifier);

/** @param exceptions `importer → imported`, each with its reason at the caller; one that is not used is reported as well */
export function layerBreaches(files: readonly SourceFile[], exceptions: readonly string[] = []): readonly string[] {
  const known = new Set(files.map((file) => file.path));
  const unused = new Set(exceptions);
  const breaches = files.flatMap((file) => {
    const layer = layerOf(file.path);
    if (layer === null) return [`${file.path} belongs to no layer`];
    return importsOf(file.text).flatMap(({ specifier, line }) => {
      const where = `${file.path}:${line}`;
      if (specifier === null) return [`${where} imports something computed`];
      if (!specifier.startsWith('.')) {
        const fits = OUTSIDE[layer]?.includes(specifier) ?? true;
        return fits ? [] : [`${where} (${layer}) imports ${specifier}`];
      }
      const target = resolve(file, specifier);
      if (!known.has(target)) return [`${where} imports ${target}, which is not there`];
      if (unused.delete(`${file.path} → ${target}`)) return [];
      const other = layerOf(target);
      return other !== null && ALLOWED[layer].includes(other) ? [] : [`${where} (${layer}) imports ${target}`];
    });
  });
  return [...breaches, ...[...unused].map((exception) => `${exception} is an exception that nobody needs`)];
}

/** Circles of imports that exist at run time, each from its first file in the order of the list. */
export function cycles(files: readonly SourceFile[]): readonly string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file.text).flatMap(({ specifier, typeOnly }) =>
        specifier?.startsWith('.') === true && !typeOnly ? [resolve(file, specifier)] : [],
      ),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) found.push([...trail.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** The inner layers have no process; nobody but a door reads its environment, by whatever name. */
export function processBreaches(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    if (ENVIRONMENT_DOORS.has(file.path)) return [];
    const isInner = ['core', 'engine'].includes(layerOf(file.path) ?? 'core');
    const imported = importsOf(file.text)
      .filter(({ specifier }) => specifier === 'node:process' || specifier === 'process')
      .map(({ line }) => `${file.path}:${line} imports the process`);
    const used = [
      ...maskText(file.text).matchAll(/(?<!(?<!\.\.)\.\s*)\bprocess\b(?:\s*\??\.\s*(\w+))?|\bglobalThis\b/g),
    ]
      .filter(([, property]) => isInner || property === undefined || property === 'env')
      .map((use) => `${at(file, use.index)} uses ${use[0].replaceAll(/\s/g, '')}`);
    return [...imported, ...used];
  });
}

/** Core answers the same for the same question: no clock, no chance, no timer, no network. */
export function impurities(files: readonly SourceFile[]): readonly string[] {
  const impure =
    /\b(?:Date\.now|performance|Math\.random|random(?:UUID|Bytes|Int)|getRandomValues|set(?:Timeout|Interval|Immediate)|fetch)\b|\bnew Date\(\s*\)/g;
  return files
    .filter((file) => layerOf(file.path) === 'core')
    .flatMap((file) => [...maskText(file.text).matchAll(impure)].map((use) => `${at(file, use.index)} uses ${use[0]}`));
}

export function longFiles(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const lines = file.text.replace(/\n$/, '').split('\n').length;
    return lines > MAX_LINES ? [`${file.path} has ${lines} lines`] : [];
  });
}

/** What names things anonymously, or exists only in TypeScript. */
export function forbiddenSyntax(files: readonly SourceFile[]): readonly string[] {
  const forms = {
    'a default export': /\bexport\s+default\b|\bas\s+default\b/g,
    'an enum': /(?:^|;|\b(?:export|declare|const))[ \t]*\benum\s+\w+\s*\{/gm,
    'a namespace': /(?:^|;|\b(?:export|declare))[ \t]*\b(?:namespace|module)\s+[\w.]+\s*\{/gm,
  };
  return files.flatMap((file) =>
    Object.entries(forms).flatMap(([name, form]) =>
      [...maskText(file.text).matchAll(form)].map((use) => `${at(file, use.index)} has ${name}`),
    ),
  );
}

/** Tests of a unit lie where the unit lies. */
export function strayTestFolders(tests: readonly string[], sources: readonly string[]): readonly string[] {
  const foldersOf = (files: readonly string[], root: string): Set<string> =>
    new Set(
      files
        .filter((file) => file.startsWith(root))
        .map((file) => path.posix.dirname(file.slice(root.length)))
        .filter((folder) => folder !== '.'),
    );
  const folders = foldersOf(sources, 'src/');
  return [...foldersOf(tests, 'test/unit/')].filter(
    (folder) => ![...folders].some((source) => source === folder || source.startsWith(`${folder}/`)),
  );
}
