#!/usr/bin/env -S node --
// `--`: without it Node itself takes `--env-file` out of our arguments, wherever it stands.
// Nothing is loaded before the version is known: on an older Node the database driver ends the process without a word.
'use strict';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `runbook: error: this is Node ${process.versions.node}, and runbook needs Node 24 or newer.\n` +
      '  fix: install Node 24; in a clone of the project `npm run --silent runbook -- …` uses the one that it brings along.\n',
  );
  process.exitCode = 69;
} else {
  const folder = codeFolder();
  // For the libraries that few commands load; the program keeps its own code in a better way.
  if (folder !== null) require('node:module').enableCompileCache(folder);
  // Nothing is left to do then: the system takes memory back faster than Node tidies it up.
  process.once('beforeExit', () => process.exit());
  require('../dist/start.cjs').main(folder);
}

/** Compiled code is trusted as it lies there, so it lies in the user's own folder: Node's default is in /tmp. */
function codeFolder() {
  const { HOME, XDG_CACHE_HOME } = process.env;
  const cache = XDG_CACHE_HOME || (HOME ? `${HOME}/.cache` : '');
  return cache.startsWith('/') && isOwn(cache, 'runbook') ? `${cache}/runbook` : null;
}

/** Whether both folders belong to this user and nobody else can write to them; the inner one is made. */
function isOwn(folder, name) {
  const { mkdirSync, statSync } = require('node:fs');
  try {
    // Not more than both, and not `recursive`: below /proc that never ends.
    for (const path of [folder, `${folder}/${name}`]) makeUnlessThere(mkdirSync, path);
    return [folder, `${folder}/${name}`].every((path) => {
      const { uid, mode } = statSync(path);
      return uid === process.getuid?.() && (mode & 0o022) === 0;
    });
  } catch {
    return false;
  }
}

function makeUnlessThere(mkdirSync, path) {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}
