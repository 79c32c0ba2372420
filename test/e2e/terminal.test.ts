/** What a person at a terminal is asked, and what their answers do. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { CTRL_C, ENTER, inTerminal } from '../helpers/terminal.ts';

const STEPS = (keys: string, body = '```bash\necho "step ran"\n```\n'): string =>
  `# Ask\n\n# Environment Requirements\n\`\`\`yaml\nHOST:\n  default: db-3\n\`\`\`\n\n# Steps\n\n## Touch it\n\`\`\`yaml\n${keys}\n\`\`\`\n${body}`;

describe.skipIf(!requires('script'))('at a terminal (needs script of util-linux)', () => {
  it('a missing variable is asked for; a secret one is not shown', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      classic('Ask', 'echo "$WHERE ${#API_TOKEN}"', { env: 'WHERE: the place\nAPI_TOKEN: the key to it' }),
    );
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [
        [/WHERE \(the place\): /, `here${ENTER}`],
        [/API_TOKEN \(the key to it\): /, `hidden-value${ENTER}`],
      ],
    );
    expect(screen).toContain('here 12');
    expect(screen).not.toContain('hidden-value');
    expect(exitCode).toBe(0);
  });

  it('is not asked with --no-input', async () => {
    const home = createHome();
    home.write('Ask.md', classic('Ask', 'true', { env: 'WHERE: the place' }));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md', '--no-input'], []);
    expect(screen).toContain('not set: WHERE');
    expect(exitCode).toBe(78);
  });

  it('an answer of the wrong form is asked for again, and refused the third time', async () => {
    const home = createHome();
    home.write('Ask.md', classic('Ask', 'echo "got $N"', { env: 'N:\n  type: integer' }));
    const again = /N \(N must be a whole number.*\): /;
    const wrong = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [
        [/N: /, `many${ENTER}`],
        [again, `more${ENTER}`],
        [again, `most${ENTER}`],
      ],
    );
    expect(wrong.exitCode).toBe(78);
    const right = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [
        [/N: /, `many${ENTER}`],
        [again, `7${ENTER}`],
      ],
    );
    expect(right).toMatchObject({ exitCode: 0, screen: expect.stringContaining('got 7') as string });
  });

  it.each([
    ['y', 0, true],
    ['n', 130, false],
    ['', 130, false],
  ])('a step that asks runs on %j: exit %i', async (answer, exit, runs) => {
    const home = createHome();
    home.write('Ask.md', STEPS('confirm: Touch $HOST?'));
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [[/Touch db-3\? \[y\/N\] /, `${answer}${ENTER}`]],
    );
    expect(exitCode).toBe(exit);
    expect(screen.includes('step ran')).toBe(runs);
  });

  it.each([
    [['db-3'], 0],
    [['db-4', 'db-3'], 0],
    [['db-4', 'db-4', ''], 130],
  ])('a step that wants a value typed gets %j: exit %i', async (answers, exit) => {
    const home = createHome();
    home.write('Ask.md', STEPS('confirm_typing: HOST'));
    const { exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      answers.map((answer) => [/type the value of HOST/, `${answer}${ENTER}`] as const),
    );
    expect(exitCode).toBe(exit);
  });

  it('a question shows values, but none of a secret', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      STEPS('confirm: Use $API_TOKEN on ${HOST}?').replace('HOST:\n', 'API_TOKEN: the key\nHOST:\n'),
    );
    const { screen } = await inTerminal(
      home.folder,
      ['execute', './Ask.md', '--env', 'API_TOKEN'],
      [[/on db-3\? \[y/, `n${ENTER}`]],
      { API_TOKEN: 'canary' },
    );
    expect(screen).toContain('Use $API_TOKEN on db-3?');
    expect(screen).not.toContain('canary');
  });

  it('a manual step is done when the person says so', async () => {
    const home = createHome();
    home.write('Ask.md', STEPS('manual: Pull the plug.', ''));
    const { exitCode } = await inTerminal(
      home.folder,
      ['execute', './Ask.md'],
      [[/By hand: Pull the plug\.\r?\nDone\? \[y\/N\] /, `y${ENTER}`]],
    );
    expect(exitCode).toBe(0);
  });

  it('a step with a terminal has one', async () => {
    const home = createHome();
    home.write(
      'Ask.md',
      STEPS('tty: true', '```bash\n[ -t 0 ] && [ -t 1 ] && read -rp "name? " name && echo "hello $name"\n```\n'),
    );
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[/name\? /, `anna${ENTER}`]]);
    expect(screen).toContain('hello anna');
    expect(exitCode).toBe(0);
  });

  it('Ctrl-C at a question ends it all with 130, and nothing has run', async () => {
    const home = createHome();
    const marker = path.join(home.folder, 'ran');
    home.write('Ask.md', classic('Ask', `touch ${marker}`, { env: 'WHERE: the place' }));
    const { exitCode } = await inTerminal(home.folder, ['execute', './Ask.md'], [[/WHERE/, CTRL_C]]);
    expect(exitCode).toBe(130);
    expect(() => readFileSync(marker)).toThrow('ENOENT');
  });

  it('Ctrl-C ends a running script with 130', async () => {
    const home = createHome();
    home.write('Long.md', classic('Long', 'echo running; sleep 60'));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', './Long.md'], [[/running/, CTRL_C]]);
    expect(exitCode).toBe(130);
    expect(screen).toContain('ended by SIGINT');
  });
});
