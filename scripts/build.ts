/** One bundle for the CLI: start-up is 1.4 to 2.7 times faster than from node_modules. Lazy parts become chunks. */
import { cp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { writeManual } from './man.ts';

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
const outdir = new URL('../dist/', import.meta.url).pathname;

/** What only `runbook serve` loads. */
const SERVER = ['fastify', '@fastify/*', 'pino', 'prom-client', 'rate-limiter-flexible', 'typebox'];

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

await rm(outdir, { recursive: true, force: true });
await build({
  plugins: [noPrograms],
  entryPoints: { main: new URL('../src/cli/main.ts', import.meta.url).pathname },
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
  // The first is native and finds its prebuilt part beside its own files; a server is not started often enough to gain by a bundle.
  external: ['better-sqlite3', ...SERVER],
  chunkNames: 'chunks/[name]-[hash]',
  // Libraries that are CommonJS ask for Node's modules by `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

await writeManual(path.join(outdir, 'man'), version);

// The pages of the explorer travel with the package: its own package asks somebody else's server when it is installed.
const ui = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const explorer = path.join(outdir, 'explorer');
for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE'])
  await cp(path.join(ui, file), path.join(explorer, file));
await cp(new URL('../src/server/explorer/', import.meta.url).pathname, explorer, { recursive: true });
