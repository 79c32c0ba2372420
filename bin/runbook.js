#!/usr/bin/env node
// Nothing is imported before the version is known: on an older Node the database driver ends the process without a word.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `runbook: error: this is Node ${process.versions.node}, and runbook needs Node 24 or newer.\n` +
      '  fix: install Node 24; in a clone of the project `npm run --silent runbook -- …` uses the one that it brings along.\n',
  );
  process.exitCode = 69;
} else {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache?.();
  const { main } = await import('../dist/main.js');
  await main();
}
