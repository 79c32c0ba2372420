/**
 * One bundle for the CLI: start-up is 1.4 to 2.7 times faster than from node_modules, and it is what was tested. Lazy parts
 * become chunks. `--if-missing`: not where there is one.
 */
import { existsSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { licencesOf } from './licences.ts';
import { writeManual } from './man.ts';

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
const root = path.resolve(import.meta.dirname, '..');
const outdir = path.join(root, 'dist');

/** Commander can start programs as commands, which none of ours is: the module for it takes 5 ms of every start. */
const noPrograms: Plugin = {
  name: 'no-programs',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ importer, path: name }) =>
      /\/commander\//.test(importer) ? { path: name, namespace: 'never-called' } : null,
    );
    bundler.onLoad({ filter: /./, namespace: 'never-called' }, () => ({ contents: 'module.exports = {};' }));
  },
};

if (process.argv.includes('--if-missing') && existsSync(path.join(outdir, 'main.js'))) process.exit(0);
await rm(outdir, { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  plugins: [noPrograms],
  entryPoints: { main: path.join(root, 'src/cli/start.ts') },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  define: { RUNBOOK_VERSION: JSON.stringify(version) },
  // Native: it finds its prebuilt part beside its own files.
  external: ['better-sqlite3'],
  chunkNames: 'chunks/[name]-[hash]',
  // Libraries that are CommonJS ask for Node's modules by `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

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
const inputs = Object.keys(metafile.inputs).map((file) => path.join(root, file));
await writeFile(path.join(outdir, 'THIRD_PARTY_LICENSES'), licencesOf([...inputs, ...alongside]));
