/** What the launcher of the archive is called in the commands that are shown; the archive itself is another test. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { cleanEnvironment, createHome, REPOSITORY } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

const LAUNCHER = readFileSync(path.join(REPOSITORY, 'scripts/package/launcher.sh'), 'utf8');

const PROCEDURE = `# Two
# Environment Requirements
\`\`\`yaml
\`\`\`
# File System Requirements
\`\`\`yaml
Input:
\`\`\`
# Steps
## First
\`\`\`sh
env | grep LAUNCHER || true
exit 3
\`\`\`
## Second
\`\`\`sh
true
\`\`\`
# History
`;

/** As the archive has it, with links in the place of copies. */
function unpacked(): Home {
  const home = createHome();
  for (const folder of ['bin', 'lib/bin', 'runbooks', 'links'])
    mkdirSync(path.join(home.folder, folder), { recursive: true });
  home.write('bin/runbook', LAUNCHER.replaceAll('@LOADER@', '/bin/sh'));
  chmodSync(path.join(home.folder, 'bin/runbook'), 0o755);
  symlinkSync(process.execPath, path.join(home.folder, 'lib/node'));
  symlinkSync(path.join(REPOSITORY, 'bin/runbook.js'), path.join(home.folder, 'lib/bin/runbook.js'));
  symlinkSync('../bin/runbook', path.join(home.folder, 'links/rb'));
  home.write('runbooks/Two.md', PROCEDURE);
  return home;
}

describe.skipIf(process.platform !== 'linux')('the command to go on with', () => {
  it.each([
    ['runbook', 'by its name on the PATH', (folder: string) => [`${folder}/bin`, 'runbook']],
    ['rb', 'by the name of a link on the PATH', (folder: string) => [`${folder}/links`, 'rb']],
    ['./bin/runbook', 'by its place', () => ['', './bin/runbook']],
    ['FOLDER/bin/runbook', 'by its place from the root', (folder: string) => ['', `${folder}/bin/runbook`]],
    ['./links/rb', 'by the place of a link', (folder: string) => [`${folder}/bin`, './links/rb']],
  ])('says `%s` where it was called %s', async (shown, _, callOf) => {
    const home = unpacked();
    const [folder = '', called = ''] = callOf(home.folder);
    const clean = cleanEnvironment(home.folder);
    const run = await execa('sh', ['-c', '"$0" "$@"', called, 'execute', 'Two'], {
      cwd: home.folder,
      env: { ...clean, PATH: `${folder === '' ? '' : `${folder}:`}${clean['PATH']}` },
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
      timeout: 100_000,
    });
    expect(run.exitCode, run.stderr).toBe(3);
    expect(run.stderr).toContain(` ${shown.replace('FOLDER', home.folder)} execute Two --from First`);
    // Neither a script nor the settings hear of it.
    expect(run.stdout).toBe('');
  });
});
