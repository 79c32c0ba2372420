/** Files that are named and are not what was meant: what is said of them, and the exit code. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';

describe('validate', () => {
  it.each([
    [['no.md'], 66, '1 document not there\n'],
    [['Good.md', 'no.md'], 66, '1 document valid, 1 document not there\n'],
    [['Good.md', 'Bad.md', 'no.md', 'none.md'], 65, '1 of 2 documents invalid, 2 documents not there\n'],
    [['Good.md', 'Bad.md'], 65, '1 of 2 documents invalid\n'],
    [
      ['--ready', 'Good.md', 'Unready.md', 'no.md'],
      66,
      '2 documents valid, 1 not ready to run, 1 document not there\n',
    ],
    [['--ready', 'Unready.md'], 78, '1 document valid, 1 not ready to run\n'],
  ] as const)('%j ends with %i: %s', async (args, exit, says) => {
    const home = createHome();
    home.write('Good.md', classic('Good', 'true'));
    home.write('Bad.md', '# Bad\n');
    home.write('Unready.md', classic('Unready', 'true', { env: 'NOT_GIVEN: what' }));
    const run = await home.run(['validate', ...args]);
    expect([run.exitCode, run.stderr]).toEqual([exit, says]);
  });
});

describe('a file that an option names', () => {
  it.each([
    [['new', '--from', 'folder', '--stdout'], /--from: folder is a folder\.\n {2}fix: Name a file in it\./],
    [['new', '--from', 'binary', '--stdout'], /--from: binary is not UTF-8 text\.\n {2}fix: Name a text file/],
    [
      ['execute', './A.md', '--token-file', 'missing'],
      /--token-file: missing is not there\.\n {2}fix: Check the path\./,
    ],
    [
      ['execute', './A.md', '--token-file', 'A.md/x'],
      /is not there\.\n {2}fix: Check the path: a part of it is a file\./,
    ],
    [['execute', './A.md', '--env', 'A=@binary'], /--env A: binary is not UTF-8 text\.\n {2}fix: Variables are text/],
  ])('%j', async (args, says) => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'folder'));
    home.write('binary', Buffer.from([0xff, 0xfe, 0x00]));
    home.write('A.md', classic('A', 'true'));
    const run = await home.run(args);
    expect(run.stderr).toMatch(says);
    expect([64, 66]).toContain(run.exitCode);
  });

  it('in a job the reason why nobody can be asked is CI', async () => {
    const home = createHome();
    home.write('Ask.md', '# Ask\n\n# Steps\n\n## Sure\n```yaml\nconfirm: Sure?\n```\n```bash\ntrue\n```\n');
    const job = await home.run(['execute', './Ask.md'], { env: { CI: 'true' } });
    expect(job.stderr).toContain('or run it from a terminal, where CI is not set.');
    expect(job.exitCode).toBe(78);
    const pipe = await home.run(['execute', './Ask.md']);
    expect(pipe.stderr).toContain('or run it from a terminal.');
  });
});
