/** `$RUNBOOK_MASK`: what a script writes there is masked from then on, whatever it does to the file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, cleanEnvironment, createHome } from '../helpers/cli.ts';
import type { CliResult } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';

/** @param scripts one for each step */
async function run(...scripts: readonly string[]): Promise<CliResult> {
  const home = createHome();
  const steps = scripts.map((script, index) => `## Step ${index + 1}\n\`\`\`bash\n${script}\n\`\`\`\n`);
  home.write('Mask.md', `# Mask\n\n# Steps\n\n${steps.join('\n')}`);
  const child = execa(process.execPath, ['--', BIN, 'execute', '-q', './Mask.md', '--history', 'file'], {
    cwd: home.folder,
    env: cleanEnvironment(home.folder),
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    if (seen.includes('seen\n')) home.write('go', '');
  });
  const { stdout, stderr, exitCode } = await child;
  // The record has what was shown.
  const document = readFileSync(path.join(home.folder, 'Mask.md'), 'utf8');
  for (const line of stdout.split('\n')) expect(document).toContain(line);
  return { stdout, stderr, exitCode };
}

/** Goes on when what was printed, and what was told before it, has been looked at. */
const SEEN = 'echo seen; until [ -e "$HOME/go" ]; do sleep 0.02; done';

describe('a line in $RUNBOOK_MASK', () => {
  it('is masked from then on, also by later steps, and not before', async () => {
    const told = 'echo first-secret-value >> "$RUNBOOK_MASK"; echo 2 first-secret-value';
    const { stdout } = await run(`echo 1 first-secret-value; ${SEEN}; ${told}`, 'echo 3 first-secret-value');
    expect(stdout).toBe('1 first-secret-value\nseen\n2 ***\n3 ***\n');
  });

  it.each([
    ['one of several', 'printf "a-secret-line\\nanother-secret\\n" >> "$RUNBOOK_MASK"'],
    ['without its end', 'echo a-secret-line >> "$RUNBOOK_MASK"; printf another-secret >> "$RUNBOOK_MASK"'],
    ['that ends with CR LF', 'printf "a-secret-line\\r\\nanother-secret\\r\\n" >> "$RUNBOOK_MASK"'],
    ['of a child process', 'sh -c "printf \\"a-secret-line\\nanother-secret\\" >> \\"\\$RUNBOOK_MASK\\""'],
    ['in a file that takes its place', 'printf "a-secret-line\\nanother-secret" > m; mv m "$RUNBOOK_MASK"'],
    [
      'that was overwritten later',
      `echo a-secret-line > "$RUNBOOK_MASK"; ${SEEN}; echo another-secret > "$RUNBOOK_MASK"`,
    ],
    [
      'of a file that was removed later',
      `printf "a-secret-line\\nanother-secret" >> "$RUNBOOK_MASK"; ${SEEN}; rm "$RUNBOOK_MASK"`,
    ],
    [
      'among empty and short ones',
      'printf "\\n\\n1\\nab\\na-secret-line\\n   \\nanother-secret\\n" >> "$RUNBOOK_MASK"',
    ],
  ])('%s', async (_how, tell) => {
    const { stdout, stderr, exitCode } = await run(`${tell}\necho 1 ab a-secret-line another-secret`);
    expect(stdout.replace(/^seen\n/, '')).toBe('1 ab *** ***\n');
    expect([stderr, exitCode]).toEqual(['', 0]);
  });
});

describe('instead of the file', () => {
  it.each([
    ['a link to another', 'echo a-secret-line > m; ln -sf "$PWD/m" "$RUNBOOK_MASK"', 'it is no plain file'],
    ['a link to itself', 'rm "$RUNBOOK_MASK"; ln -s "$RUNBOOK_MASK" "$RUNBOOK_MASK"', 'it is no plain file'],
    ['a folder', 'rm "$RUNBOOK_MASK"; mkdir "$RUNBOOK_MASK"', 'it is no plain file'],
    ['a pipe that nobody writes to', 'rm "$RUNBOOK_MASK"; mkfifo "$RUNBOOK_MASK"', 'it is no plain file'],
    ['a device without an end', 'ln -sf /dev/zero "$RUNBOOK_MASK"', 'it is no plain file'],
  ])('%s: the run goes on, and it is told once', async (_what, make, why) => {
    const { stdout, stderr, exitCode } = await run(`${make}\necho 1; ${SEEN}; echo 2`);
    expect([stdout, exitCode]).toEqual(['1\nseen\n2\n', 0]);
    const said = `runbook: warning: “Step 1”: not all of $RUNBOOK_MASK is masked, because ${why}.\n`;
    expect(stderr).toBe(said);
  });

  it.skipIf(!requires('seq'))('1 MiB of lines: the first of them are masked, and it is told', async () => {
    const began = performance.now();
    const { stdout, stderr, exitCode } = await run(
      // Lines of 40 characters.
      'seq -f "line-%034.0f" 1 26214 >> "$RUNBOOK_MASK"; head -n 1 "$RUNBOOK_MASK"; tail -n 1 "$RUNBOOK_MASK"',
    );
    console.log(`1 MiB of lines to mask: ${Math.round(performance.now() - began)} ms`);
    expect(stdout).toBe(`***\nline-${'26214'.padStart(34, '0')}\n`);
    expect(stderr).toContain('not all of $RUNBOOK_MASK is masked, because it is larger than 256.0 KiB.');
    expect(exitCode).toBe(0);
  });
});
