/** A flood on a real terminal: all of it is shown, and Ctrl-C ends it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import { times } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';
import { CTRL_C, inTerminal } from '../helpers/terminal.ts';

describe.skipIf(!requires('script'))('at a terminal (needs script of util-linux)', () => {
  it('every line of a flood is shown, in order', async () => {
    const home = createHome();
    const count = times(200_000, 2_000_000);
    home.write('Flood.md', classic('Flood', `seq ${count}`));
    const { screen, exitCode } = await inTerminal(home.folder, ['execute', '-q', './Flood.md'], []);
    const numbers = screen.split(/[\r\n]+/).flatMap((line) => (/^\d+$/.test(line) ? [Number(line)] : []));
    expect(exitCode).toBe(0);
    expect(numbers).toHaveLength(count);
    expect(numbers.every((number, index) => number === index + 1)).toBe(true);
  });

  it('Ctrl-C in the middle of a flood ends it, the script with it, and the last line says so', async () => {
    const home = createHome();
    const pid = path.join(home.folder, 'pid');
    home.write('Flood.md', classic('Flood', `echo $$ > ${pid}; exec yes 'on and on'`));
    const { screen, exitCode } = await inTerminal(
      home.folder,
      ['execute', './Flood.md'],
      [[/(?:on and on\r\n){1000}/, CTRL_C]],
    );
    expect(exitCode).toBe(130);
    expect(screen.slice(-500)).toMatch(
      /canceled: The run was ended by SIGINT\..*\r\n {2}at Flood\.md:\d+\r\n {2}see: runbook history \w+\r\n$/,
    );
    expect(() => process.kill(Number(readFileSync(pid, 'utf8')), 0)).toThrow('ESRCH');
  });
});
