/** The architecture, held by the tree itself; and for each rule a breach, to see that it would be found. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cycles,
  forbiddenSyntax,
  impurities,
  layerBreaches,
  longFiles,
  processBreaches,
  strayTestFolders,
} from './helpers/architecture.ts';
import type { SourceFile } from './helpers/architecture.ts';
import { REPOSITORY } from './helpers/cli.ts';
import { importsOf, maskText } from './helpers/imports.ts';
import { tries } from './helpers/property.ts';

const list = (pattern: string): readonly string[] =>
  globSync(pattern, { cwd: REPOSITORY })
    .map((file) => file.replaceAll(path.sep, '/'))
    .sort();
const SOURCES: readonly SourceFile[] = list('src/**/*.ts').map((file) => ({
  path: file,
  text: readFileSync(path.join(REPOSITORY, file), 'utf8'),
}));

/** One face starts another: `runbook serve` is a command. */
const EXCEPTIONS: readonly string[] = ['src/cli/commands/serve.ts → src/server/start.ts'];

/** Files of an imagined tree, by path. */
const tree = (files: Readonly<Record<string, string>>): readonly SourceFile[] =>
  Object.entries(files).map(([file, text]) => ({ path: file, text }));

test('there is a tree to look at', () => {
  expect(SOURCES.length).toBeGreaterThan(50);
});

describe('imports point inwards', () => {
  test('in the tree', () => {
    expect(layerBreaches(SOURCES, EXCEPTIONS)).toEqual([]);
  });

  test.each([
    ['core', 'src/core/a.ts', "import { b } from '../engine/b.ts';"],
    ['core, a type', 'src/core/a.ts', "import type { B } from '../engine/b.ts';"],
    ['core, a type in a type', 'src/core/a.ts', "type B = import('../engine/b.ts').B;"],
    ['core, handed on', 'src/core/a.ts', "export * from '../engine/b.ts';"],
    ['core, handed on over lines', 'src/core/a.ts', "export {\n  b,\n} from '../engine/b.ts';"],
    ['core, for its effect', 'src/core/a.ts', "import '../engine/b.ts';"],
    ['core, later', 'src/core/a.ts', "const b = await import('../engine/b.ts');"],
    ['core, later, by a template', 'src/core/a.ts', 'const b = await import(`../engine/b.ts`);'],
    ['core, computed', 'src/core/a.ts', 'const b = await import(name);'],
    ['core, as CommonJS', 'src/core/a.ts', "const b = require('../engine/b.ts');"],
    ['core, from a library', 'src/core/a.ts', "import { parse } from 'marked';"],
    ['core, from Node', 'src/core/a.ts', "import { readFileSync } from 'node:fs';"],
    ['engine → adapters', 'src/engine/a.ts', "import { c } from '../adapters/x/c.ts';"],
    ['engine, from Node', 'src/engine/a.ts', "import { spawn } from 'node:child_process';"],
    ['adapters → engine', 'src/adapters/x/a.ts', "import type { B } from '../../engine/b.ts';"],
    ['adapters → app', 'src/adapters/x/a.ts', "import { createApp } from '../../app.ts';"],
    ['app → cli', 'src/app.ts', "import { d } from './cli/d.ts';"],
    ['cli → adapters', 'src/cli/a.ts', "import { c } from '../adapters/x/c.ts';"],
    ['server → cli', 'src/server/a.ts', "import { d } from '../cli/d.ts';"],
    ['what is not there', 'src/cli/a.ts', "import { e } from './e.ts';"],
    ['out of src', 'src/cli/a.ts', "import manifest from '../../package.json';"],
    ['no layer', 'src/util/a.ts', ''],
  ])('%s', (_, file, text) => {
    const rest = { 'src/engine/b.ts': '', 'src/adapters/x/c.ts': '', 'src/cli/d.ts': '', 'src/app.ts': '' };
    expect(layerBreaches(tree(rest))).toEqual([]);
    expect(layerBreaches(tree({ ...rest, [file]: text }))).toHaveLength(1);
  });

  test('an exception is for one import of one file, and for one that is there', () => {
    const files = tree({ 'src/cli/a.ts': "import { c } from '../adapters/x/c.ts';", 'src/adapters/x/c.ts': '' });
    expect(layerBreaches(files, ['src/cli/a.ts → src/adapters/x/c.ts'])).toEqual([]);
    expect(layerBreaches(files, ['src/cli/b.ts → src/adapters/x/c.ts'])).toHaveLength(2);
  });
});

describe('imports have no circles', () => {
  test('in the tree', () => {
    expect(cycles(SOURCES)).toEqual([]);
  });

  test('a circle is found, one of types is none', () => {
    const circle = (form: string): readonly SourceFile[] =>
      tree({
        'src/core/a.ts': "import { b } from './b.ts';",
        'src/core/b.ts': "import { c } from './c/c.ts';",
        'src/core/c/c.ts': form,
      });
    expect(cycles(circle("import { a } from '../a.ts';"))).toEqual([
      'src/core/a.ts → src/core/b.ts → src/core/c/c.ts → src/core/a.ts',
    ]);
    expect(cycles(circle("import { type A } from '../a.ts';"))).toHaveLength(1);
    expect(cycles(circle("const a = import('../a.ts');"))).toHaveLength(1);
    expect(cycles(circle("import './c.ts';"))).toEqual(['src/core/c/c.ts → src/core/c/c.ts']);
    expect(cycles(circle("import type { A } from '../a.ts';"))).toEqual([]);
  });
});

describe('the process stays at the door', () => {
  test('in the tree', () => {
    expect(processBreaches(SOURCES)).toEqual([]);
  });

  test.each([
    ['src/core/a.ts', 'const here = process.cwd();'],
    ['src/engine/a.ts', 'process.exitCode = 1;'],
    ['src/engine/a.ts', "import { cwd } from 'node:process';"],
    ['src/app.ts', 'const home = process.env.HOME;'],
    ['src/cli/a.ts', "const home = process . env['HOME'];"],
    ['src/adapters/x/a.ts', 'const home = process?.env.HOME;'],
    ['src/adapters/x/a.ts', 'const { env } = process;'],
    ['src/adapters/x/a.ts', "const home = process['env'].HOME;"],
    ['src/adapters/x/a.ts', 'const home = globalThis.process.env.HOME;'],
    ['src/adapters/x/a.ts', 'const text = `${process.env.HOME}`;'],
    ['src/adapters/x/a.ts', 'const all = { ...process.env };'],
    ['src/cli/a.ts', "import process from 'node:process';"],
  ])('%s: %s', (file, text) => {
    expect(processBreaches(tree({ [file]: text }))).not.toEqual([]);
  });

  test('an adapter may ask for its own number, and anybody may write about it', () => {
    const text = "const own = process.pid; // not process.env\nconst note = 'process.env'; job.process;";
    expect(processBreaches(tree({ 'src/adapters/x/a.ts': text }))).toEqual([]);
  });
});

describe('core is pure', () => {
  test('in the tree', () => {
    expect(impurities(SOURCES)).toEqual([]);
  });

  test.each(['Date.now()', 'new Date()', 'Math.random()', 'randomUUID()', 'setTimeout(f, 1)', "fetch('x')"])(
    '%s',
    (text) => {
      expect(impurities(tree({ 'src/core/a.ts': text }))).toHaveLength(1);
      expect(impurities(tree({ 'src/adapters/x/a.ts': text, 'src/core/a.ts': `// ${text}\nnew Date(0)` }))).toEqual([]);
    },
  );
});

describe('files are small and plain', () => {
  test('no file is longer than 300 lines', () => {
    expect(longFiles(SOURCES)).toEqual([]);
    expect(longFiles(tree({ 'src/core/a.ts': 'x\n'.repeat(300), 'src/core/b.ts': 'x\n'.repeat(301) }))).toEqual([
      'src/core/b.ts has 301 lines',
    ]);
  });

  test('the flow of a run can be read on a few pages', () => {
    const flow = SOURCES.find((file) => file.path === 'src/engine/execute.ts');
    expect(flow?.text.split('\n').length).toBeLessThanOrEqual(151);
  });

  test('no default export, no enum, no namespace', () => {
    expect(forbiddenSyntax(SOURCES)).toEqual([]);
  });

  test.each([
    'export default 1;',
    'const a = 1;\nexport { a as default };',
    "export { a as default } from './b.ts';",
    'enum A { B }',
    'export const enum A { B }',
    'declare enum A { B }',
    'namespace A { }',
    'export namespace A.B { }',
    'declare module A { }',
  ])('%s', (text) => {
    expect(forbiddenSyntax(tree({ 'src/core/a.ts': text }))).toHaveLength(1);
  });
});

describe('tests lie where the code lies', () => {
  test('in the tree', () => {
    expect(strayTestFolders(list('test/unit/**/*.ts'), list('src/**/*.ts'))).toEqual([]);
  });

  test('a folder of its own is found', () => {
    const sources = ['src/core/parse/a.ts'];
    const tests = ['test/unit/core/a.test.ts', 'test/unit/core/parse/a.test.ts', 'test/unit/core/parser/a.test.ts'];
    expect(strayTestFolders(tests, sources)).toEqual(['core/parser']);
  });
});

describe('the scanner of imports', () => {
  test('finds exactly what the bundler finds, in every file of the bundle', async () => {
    const { metafile } = await build({
      absWorkingDir: REPOSITORY,
      entryPoints: ['src/cli/start.ts', 'src/cli/main.ts'],
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      outdir: 'dist',
      write: false,
      metafile: true,
    });
    const bundled = Object.entries(metafile.inputs);
    expect(bundled.length).toBeGreaterThan(50);
    const found = bundled.map(([file]) => {
      const imports = importsOf(SOURCES.find((source) => source.path === file)?.text ?? '');
      return [file, new Set(imports.filter(({ typeOnly }) => !typeOnly).map(({ specifier }) => specifier))];
    });
    const expected = bundled.map(([file, { imports }]) => [
      file,
      new Set(imports.map(({ original, path: external }) => original ?? external)),
    ]);
    expect(found).toEqual(expected);
  });

  test.each([
    ['a comment', "// import 'x';\n/* import 'x';\nimport 'x' */"],
    ['a string', 'const a = "import \'x\'";'],
    ['a template', "const a = `\nimport 'x';\n${b ? `\nimport 'x'` : { c: '}' }}\nimport 'x'`;"],
    ['a regular expression', 'const a = /[\'"`/]import("x")/.test(b);'],
    ['the address of the module', 'const a = import.meta.dirname;'],
    ['an export of its own', "export const a = 'x';\nexport type B = 'x';"],
  ])('is not misled by %s', (_, text) => {
    expect(maskText(text)).toHaveLength(text.length);
    expect(importsOf(`${text}\nimport 'y';`)).toMatchObject([{ specifier: 'y' }]);
  });

  test('leaves every line and every column where it was, whatever the text', () => {
    const text = fc
      .array(fc.constantFrom("'", '"', '`', '/', '\\', '${', '{', '}', '*', '=', '[', ']', 'a', ' ', '\n'), {
        maxLength: 40,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (original) => {
        const masked = maskText(original);
        expect(masked.split('\n').map((line) => line.length)).toEqual(original.split('\n').map((line) => line.length));
      }),
      tries(2000, 200_000),
    );
  });

  test('knows what is gone at run time', () => {
    const text =
      "import type { A } from 'a';\nimport { type B } from 'b';\nexport type * from 'c';\nimport type from 'd';";
    expect(importsOf(text)).toEqual([
      { specifier: 'a', typeOnly: true, line: 1 },
      { specifier: 'b', typeOnly: false, line: 2 },
      { specifier: 'c', typeOnly: true, line: 3 },
      { specifier: 'd', typeOnly: false, line: 4 },
    ]);
  });
});
