/** `validate --fix`: repairs of real files, beside whoever else reads and writes them. */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setImmediate as immediately, setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { createDocumentWriter } from '../../src/adapters/document-writer/file.ts';
import { createMarkdownHistory } from '../../src/adapters/document-history/markdown-file.ts';
import { stampOf } from '../../src/adapters/system/stamp.ts';
import { entriesOf } from '../../src/core/history/document-history.ts';
import { linesOfChunks } from '../../src/core/history/lines.ts';
import { createHome } from '../helpers/cli.ts';
import { entryOf } from '../helpers/entries.ts';
import { times } from '../helpers/property.ts';

const RIGHT = '# Task\n\n# Limits\n```yaml\ntimeout: 5m\n```\n\n# Steps\n\n## One\n```bash\necho limts\n```\n';
const WRONG = RIGHT.replace('# Limits', '# limits').replace('timeout: 5m', 'timout: 5 minutes');

describe('validate --fix', () => {
  test('repairs what it can, says so, and judges what is left', async () => {
    const home = createHome();
    const file = home.write('Task.md', WRONG);
    const { stdout, stderr, exitCode } = await home.run(['validate', './Task.md', '--fix']);
    expect(readFileSync(file, 'utf8')).toBe(RIGHT);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
    expect(stderr.split('\n')).toEqual([
      'Task.md:3: fixed: `limits` is nearly `Limits`, but it is not that section. (section-misspelt)',
      'Task.md:5: fixed: `timout` is not a key that is known here. (key-unknown)',
      'Task.md:5: fixed: `5 minutes` is not a duration from one second to 24 days. (limit-duration)',
      '1 document valid',
      '',
    ]);
    const before = lstatSync(file);
    const again = await home.run(['validate', './Task.md', '--fix']);
    expect(again).toMatchObject({ stderr: '1 document valid\n', exitCode: 0 });
    // What is right is not written again.
    expect(lstatSync(file)).toEqual(before);
  });

  test('what is left is printed, with 65', async () => {
    const home = createHome();
    home.write('Task.md', WRONG.replace('## One', '# Required claims'));
    const { stdout, exitCode } = await home.run(['validate', './Task.md', '--fix']);
    expect(stdout).toContain('(section-misspelt)');
    expect(stdout).toContain('Required claims');
    expect(exitCode).toBe(65);
  });

  test('--dry-run prints a difference that patch applies, and writes nothing', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'runbooks'));
    const wrong = `${WRONG.replaceAll('\n', '\r\n')}# History\r\n\r\n\`\`\`text\r\n\u{feff}output\r\n\`\`\`\r\n`;
    const file = home.write('runbooks/Task.md', Buffer.concat([Buffer.from(wrong), Buffer.from([0xff, 0xfe, 0x0a])]));
    const bytes = readFileSync(file);
    const facts = lstatSync(file);
    const { stdout, exitCode } = await home.run(['validate', '--fix', '--dry-run']);
    expect(exitCode).toBe(0);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(lstatSync(file)).toEqual(facts);
    expect(stdout).toContain('-timout: 5 minutes\r\n+timeout: 5m\r\n');
    await execa('git', ['init', '--quiet'], { cwd: home.folder });
    await execa('git', ['apply', '-'], { cwd: home.folder, input: stdout });
    const patched = readFileSync(file);
    await home.run(['validate', '--fix']);
    expect(readFileSync(file).equals(patched)).toBe(true);
    const expected = wrong.replace('# limits', '# Limits').replace('timout: 5 minutes', 'timeout: 5m');
    expect(patched.toString('latin1')).toBe(`${Buffer.from(expected).toString('latin1')}\xff\xfe\n`);
  });

  test('mode and owner are kept, and a link leads where it led', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'real'));
    const real = home.write('real/Task.md', WRONG);
    chmodSync(real, 0o640);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(real, 12_345, 54_321);
    const link = path.join(home.folder, 'Task.md');
    symlinkSync('real/Task.md', link);
    expect((await home.run(['validate', './Task.md', '--fix'])).exitCode).toBe(0);
    expect(readlinkSync(link)).toBe('real/Task.md');
    expect(readFileSync(real, 'utf8')).toBe(RIGHT);
    const { mode, uid, gid } = statSync(real);
    expect(mode & 0o7777).toBe(0o640);
    if (isRoot) expect([uid, gid]).toEqual([12_345, 54_321]);
    expect(readdirSync(path.join(home.folder, 'real'))).toEqual(['Task.md']);
  });

  test('a file with several names is left alone, with one sentence', async () => {
    const home = createHome();
    const file = home.write('Task.md', WRONG);
    linkSync(file, path.join(home.folder, 'Other.md'));
    const { stderr, exitCode } = await home.run(['validate', './Task.md', '--fix']);
    expect(stderr).toContain('Task.md has 2 names (hard links)');
    expect(exitCode).toBe(74);
    expect(readFileSync(file, 'utf8')).toBe(WRONG);
    expect(readdirSync(home.folder).filter((name) => name.startsWith('.Task'))).toEqual([]);
  });

  test('a document that is not there is a problem like any other', async () => {
    const { stdout, exitCode } = await createHome().run(['validate', './None.md', '--fix']);
    expect(stdout).toContain('(not-found)');
    expect(exitCode).toBe(66);
  });
});

describe('beside others', () => {
  const writer = createDocumentWriter();
  const stamp = (file: string): string => stampOf(lstatSync(file, { bigint: true }));

  test('a document that was changed since it was read is not replaced', async () => {
    const home = createHome();
    const file = home.write('Task.md', WRONG);
    const read = stamp(file);
    appendFileSync(file, '\nMore.\n');
    const replaced = writer.replace({ path: file, displayPath: 'Task.md', stamp: read }, Buffer.from(RIGHT));
    await expect(replaced).rejects.toMatchObject({ code: 'busy' });
    expect(readFileSync(file, 'utf8')).toBe(`${WRONG}\nMore.\n`);
    expect(readdirSync(home.folder)).toEqual(['Task.md']);
  });

  test('what somebody writes who had opened it before goes into the new file', async () => {
    const home = createHome();
    const file = home.write('Task.md', WRONG);
    const { ino } = lstatSync(file);
    const early = openSync(file, 'a');
    const replaced = writer.replace({ path: file, displayPath: 'Task.md', stamp: stamp(file) }, Buffer.from(RIGHT));
    while (lstatSync(file).ino === ino) await immediately();
    writeSync(early, '# History\n');
    closeSync(early);
    await replaced;
    expect(readFileSync(file, 'utf8')).toBe(`${RIGHT}# History\n`);
  });

  test('entries that runs append meanwhile are all there, each once, and readers see one whole text or the other', async () => {
    const home = createHome();
    const file = home.write('Task.md', `${WRONG}# History\n`);
    const history = createMarkdownHistory({ ci: false });
    const rounds = times(100, 2000);
    const repaired: string[] = [];
    const over = new AbortController();
    const flip = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const text = readFileSync(file, 'utf8');
        const head = text.slice(0, text.indexOf('# History'));
        expect([WRONG, RIGHT]).toContain(head);
        const bytes = Buffer.from(text.replace(head, head === WRONG ? RIGHT : WRONG));
        const document = { path: file, displayPath: 'Task.md', stamp: stamp(file) };
        // Between reading and the stamp nothing is awaited, so what is refused was changed afterwards.
        await writer.replace(document, bytes).then(
          () => repaired.push(head),
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'busy' });
          },
        );
      }
    };
    const flipping = flip();
    let entries = 0;
    // However slow the machine is, some entries come while the document is replaced.
    for (; entries < rounds || repaired.length < 3; entries += 1) {
      const runId = `01K${String(entries).padStart(23, '0')}`;
      await delay(entries % 13);
      await history.append({ path: file, hasHistory: true, stamp: stamp(file) }, entryOf({ runId }));
    }
    over.abort();
    await flipping;
    const found = [...entriesOf(linesOfChunks([readFileSync(file)]))].flatMap((entry) =>
      entry.origin === 'runbook' ? [entry.facts.run] : [],
    );
    process.stdout.write(`replaced ${repaired.length} times between ${entries} entries, all of which are there\n`);
    expect(found).toHaveLength(entries);
    expect(new Set(found).size).toBe(entries);
  });
});
