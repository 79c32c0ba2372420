import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cleanEnvironment } from './cli.ts';

const IDENTITY = ['user.name=Test', 'user.email=test@example.invalid', 'commit.gpgsign=false', 'tag.gpgsign=false'];

/** A git work tree at `folder` with the files in one commit, and an identity of its own. @returns the folder */
export function createRepository(folder: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '--quiet', '--initial-branch=main');
  for (const setting of IDENTITY) git(folder, 'config', ...setting.split('='));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--message', 'chore: begin');
  return folder;
}

/** Without anybody's own configuration. @returns what git prints; throws when it fails */
export function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(folder),
  });
}
