/**
 * `npm run demo`: a sample runbook with a claim, a declared variable and input files, executed for real on a ledger of its
 * own in a temporary folder. Prints the commands as a user would type them, and what they print.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execaSync } from 'execa';

const repository = path.resolve(import.meta.dirname, '..');
const bin = path.join(repository, 'bin/runbook.js');
if (!existsSync(path.join(repository, 'dist/start.cjs')))
  execaSync('node', [path.join(repository, 'scripts/build.ts')], { stdio: 'inherit', preferLocal: true });

const folder = mkdtempSync(path.join(tmpdir(), 'runbook-demo-'));
try {
  writeFileSync(path.join(folder, 'secret'), randomBytes(32).toString('hex'), { mode: 0o600 });
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: folder,
    RUNBOOK_RUNBOOKS_DIR: path.join(repository, 'samples/runbooks'),
    RUNBOOK_JWT_SECRET_FILE: path.join(folder, 'secret'),
    ...(process.env['NO_COLOR'] === undefined ? {} : { NO_COLOR: process.env['NO_COLOR'] }),
  };
  const runbook = (shown: string, args: readonly string[], expected: number): string => {
    console.log(`\n$ runbook ${shown}`);
    const result = execaSync(process.execPath, ['--', bin, ...args], {
      cwd: folder,
      env,
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
    });
    // A token belongs into its file, not onto the screen.
    if (!shown.includes('>')) console.log(result.all);
    if (result.exitCode === expected) return result.stdout;
    console.log(`This was to end with exit code ${expected}, not ${result.exitCode}.`);
    process.exitCode = 1;
    throw new Error('the demo failed');
  };
  const execute = ['execute', 'CreatePackage', '--env', 'PACKAGE=demo'];

  console.log('A runbook whose claims nobody has shown yet is refused:');
  runbook(execute.join(' '), execute, 77);

  console.log('\nWith a token that has the role it runs, in a private folder with copies of its inputs:');
  const token = runbook(
    'token mint --subject anna --role sre > token',
    ['token', 'mint', '--subject', 'anna', '--role', 'sre'],
    0,
  );
  writeFileSync(path.join(folder, 'token'), token, { mode: 0o600 });
  runbook([...execute, '--token-file token'].join(' '), [...execute, '--token-file', 'token'], 0);

  console.log('\nBoth are in the ledger:');
  runbook('history', ['history'], 0);
  const listed = execaSync(process.execPath, [bin, 'history', '--limit', '1', '--json'], {
    cwd: folder,
    env,
    extendEnv: false,
  });
  const { runs } = JSON.parse(listed.stdout) as { runs: { runId: string }[] };
  const runId = runs[0]?.runId ?? '';
  runbook(`history ${runId}`, ['history', runId], 0);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
