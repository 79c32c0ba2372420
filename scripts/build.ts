/**
 * The command line as one file, and beside it the large libraries that few commands use. One file starts faster than many: a
 * module of its own costs about half a millisecond, and what is not called in it is never compiled (ADR 60). CommonJS, since
 * Node starts it earlier. `--if-missing`: not where there is one.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';
import { licencesOf } from './licences.ts';
import { writeManual } from './man.ts';

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
const root = path.resolve(import.meta.dirname, '..');
const outdir = path.join(root, 'dist');

/** Files of their own, and what is in them. What belongs together is together: a library that two of them use is there once. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  server: [
    'fastify',
    '@fastify/cors',
    '@fastify/helmet',
    '@fastify/static',
    'pino',
    'prom-client',
    'rate-limiter-flexible',
    '@fastify/type-provider-typebox',
    'typebox',
  ],
  undici: ['undici'],
  ioredis: ['ioredis'],
  chokidar: ['chokidar'],
  execa: ['execa'],
  marked: ['marked'],
};

const common = {
  absWorkingDir: root,
  bundle: true,
  metafile: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minify: true,
  // `require` in its place: `import()` reads the whole file once more, for the names that it exports.
  supported: { 'dynamic-import': false },
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions;

/**
 * Commander can start programs as commands, which none of ours is: the module for it takes 5 ms of every start. What Redis' client
 * prints for its own developers would be coloured by a package if that were there.
 */
const neverCalled: Plugin = {
  name: 'never-called',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ importer, path: name }) =>
      /\/commander\//.test(importer) ? { path: name, namespace: 'never-called' } : null,
    );
    bundler.onResolve({ filter: /^supports-color$/ }, ({ path: name }) => ({ path: name, namespace: 'never-called' }));
    bundler.onLoad({ filter: /./, namespace: 'never-called' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** What is in another file is fetched from there when it is first asked for. */
const libraries: Plugin = {
  name: 'libraries',
  setup: (bundler) => {
    for (const [file, names] of Object.entries(LIBRARIES))
      for (const name of names)
        bundler.onResolve({ filter: /./ }, ({ path: asked }) =>
          asked === name ? { path: asked, namespace: 'library', pluginData: file } : null,
        );
    bundler.onLoad({ filter: /./, namespace: 'library' }, ({ path: name, pluginData }) => ({
      contents: `module.exports = require('./libraries/${pluginData}.cjs')[${JSON.stringify(name)}];`,
    }));
    bundler.onResolve({ filter: /^\.\/libraries\// }, ({ path: file }) => ({ path: file, external: true }));
  },
};

/** The driver is bundled, its native part is not: that is found beside the package's own files. */
const nativePart: Plugin = {
  name: 'native-part',
  setup: (bundler) => {
    bundler.onLoad({ filter: /\/better-sqlite3\/lib\/binding\.js$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, 'utf8')).replaceAll(
        '__dirname',
        "path.join(path.dirname(require.resolve('better-sqlite3/package.json')), 'lib')",
      ),
    }));
    bundler.onResolve({ filter: /^better-sqlite3\/package\.json$/ }, ({ path: name }) => ({
      path: name,
      external: true,
    }));
  },
};

if (process.argv.includes('--if-missing') && existsSync(path.join(outdir, 'start.cjs'))) process.exit(0);
await rm(outdir, { recursive: true, force: true });
await mkdir(path.join(outdir, 'libraries'), { recursive: true });
const { metafile } = await build({
  ...common,
  plugins: [neverCalled, libraries, nativePart],
  entryPoints: { start: 'src/cli/start.ts', main: 'src/cli/main.ts' },
  outdir,
  outExtension: { '.js': '.cjs' },
  define: { RUNBOOK_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
});
const bundled = [metafile];

// It is read as one byte a character. What is left beyond ASCII stands in regular expressions, where this is the same.
const main = path.join(outdir, 'main.cjs');
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
await writeFile(main, (await readFile(main, 'utf8')).replaceAll(/[^\0-\x7f]/g, escaped), 'latin1');

for (const [file, names] of Object.entries(LIBRARIES)) {
  const result = await build({
    ...common,
    plugins: [neverCalled],
    stdin: {
      contents: names.map((name) => `exports['${name}'] = require('${name}');`).join('\n'),
      resolveDir: root,
    },
    outfile: path.join(outdir, 'libraries', `${file}.cjs`),
  });
  bundled.push(result.metafile);
}

await writeManual(path.join(outdir, 'man'), version);

// The pages of the explorer travel with the package: its own package asks somebody else's server when it is installed.
const require = createRequire(import.meta.url);
const ui = path.dirname(require.resolve('swagger-ui-dist/package.json'));
const explorer = path.join(outdir, 'explorer');
for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE'])
  await cp(path.join(ui, file), path.join(explorer, file));
await cp(new URL('../src/server/explorer/', import.meta.url).pathname, explorer, { recursive: true });

// Whoever passes the bundle on passes the code of others on.
const alongside = ['better-sqlite3', 'swagger-ui-dist'].map((name) => require.resolve(`${name}/package.json`));
const inputs = bundled.flatMap(({ inputs: files }) => Object.keys(files)).map((file) => path.join(root, file));
await writeFile(path.join(outdir, 'THIRD_PARTY_LICENSES'), licencesOf([...new Set(inputs), ...alongside]));
