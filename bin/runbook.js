#!/usr/bin/env -S node --
// `--`: without it Node itself takes `--env-file` out of our arguments, wherever it stands.
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
  // Compiled code is trusted as it lies there, so it lies in the user's own folder: Node's default is in /tmp.
  const { HOME, XDG_CACHE_HOME } = process.env;
  const cache = XDG_CACHE_HOME || (HOME ? `${HOME}/.cache` : '');
  if (cache.startsWith('/') && (await isOwn(cache, 'runbook'))) enableCompileCache(`${cache}/runbook`);
  const { main } = await import('../dist/main.js');
  await main();
}

/** Whether both folders belong to this user and nobody else can write to them; the inner one is made. */
async function isOwn(folder, name) {
  const { mkdirSync, statSync } = await import('node:fs');
  try {
    mkdirSync(`${folder}/${name}`, { recursive: true, mode: 0o700 });
    return [folder, `${folder}/${name}`].every((path) => {
      const { uid, mode } = statSync(path);
      return uid === process.getuid?.() && (mode & 0o022) === 0;
    });
  } catch {
    return false;
  }
}
