/** Names of variables that are given and nearly declared. */
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';

const SLIP = 'DYAS is given with --env and not declared by Old.md; did you mean DAYS?';

function homeWith(env: string): Home {
  const home = createHome();
  home.write('Old.md', classic('Old', 'echo "[$DAYS] [$DYAS] [$PORT]"', { env }));
  return home;
}

describe('a variable that is given by nearly its name', () => {
  it('reaches the script as before, and is named', async () => {
    const home = homeWith('DAYS:\n  default: "30"');
    const run = await home.run(['execute', './Old.md', '--env', 'DYAS=3']);
    expect(run).toMatchObject({ exitCode: 0, stdout: '[30] [3] []\n' });
    expect(run.stderr).toContain(SLIP);
    const plan = await home.json(['plan', './Old.md', '--env', 'DYAS=3']);
    expect(plan['warnings']).toContain(SLIP);
    home.write('vars', 'days=3\n');
    const other = await home.run(['execute', './Old.md', '--env-file', 'vars']);
    expect(other.stderr).toContain('days is given with --env-file and not declared by Old.md; did you mean DAYS?');
  });

  it('is no slip where the other is given too, where it is another word, or only in the environment', async () => {
    const home = homeWith('DAYS:\n  default: "30"\nHOST:\n  default: "h"');
    const given = ['--env', 'DYAS=3', '--env', 'DAYS=4', '--env', 'PORT=5'];
    const run = await home.run(['execute', './Old.md', ...given], { env: { DAYZ: '1' } });
    expect(run).toMatchObject({ exitCode: 0, stdout: '[4] [3] [5]\n' });
    expect(run.stderr).not.toContain('did you mean');
    const passed = await home.run(['execute', './Old.md', '--pass-env', 'DYAS'], { env: { DYAS: '1' } });
    expect(passed).toMatchObject({ exitCode: 0, stdout: '[30] [1] []\n' });
    expect(passed.stderr).not.toContain('did you mean');
  });

  it('is named where the declared one is required', async () => {
    const home = homeWith('DAYS: how many');
    for (const command of ['execute', 'plan']) {
      const run = await home.run([command, './Old.md', '--env', 'DYAS=3']);
      expect(run.exitCode, run.stderr).toBe(78);
      expect(run.stdout + run.stderr).toContain('DYAS is given and not declared; did you mean DAYS?');
    }
    const byName = await home.run(['execute', './Old.md', '--env', 'DYAS'], { env: { DAYS: '1' } });
    expect(byName.stderr).toContain('The runbook does not declare it; did you mean DAYS?');
    expect(byName.exitCode).toBe(78);
  });
});
