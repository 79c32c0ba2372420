/** The output of a run that cannot be read, is gone, or was emptied: the rest of the record is told, and what became of it in one sentence. */
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { violations } from '../helpers/schemas.ts';

interface Ran extends Home {
  /** Where its output is kept. */
  readonly output: string;
}

async function ran(script = 'echo printed; exit 3'): Promise<Ran> {
  const home = createHome();
  home.write('Task.md', classic('Task', script));
  await home.run(['execute', '-q', './Task.md', '--history', 'ledger']);
  const outputs = path.join(home.stateDir, 'output');
  const [runId = ''] = readdirSync(outputs);
  return { ...home, output: path.join(outputs, runId) };
}

interface Answers {
  readonly exits: readonly unknown[];
  readonly json: Record<string, unknown>;
  readonly text: string;
  /** One run, then the summary. */
  readonly markdown: readonly string[];
}

async function ask(home: Home): Promise<Answers> {
  const [json, text, page] = [
    await home.run(['history', 'last', '--json']),
    await home.run(['history', 'last']),
    await home.run(['history', 'last', '--format', 'markdown']),
  ];
  const document = JSON.parse(json.stdout) as Record<string, unknown>;
  expect(violations('history', document)).toEqual([]);
  expect(document['run']).toMatchObject({ state: 'finished', result: { exitCode: 3 } });
  expect(text.stdout).toMatch(/^outcome +failed, exit 3/m);
  const summary = await home.run(['history', '--format', 'markdown']);
  return {
    exits: [json, text, page, summary].map(({ exitCode }) => exitCode),
    json: document,
    text: text.stdout,
    markdown: [page.stdout, summary.stdout],
  };
}

/** Sentences about what became of it. */
const said = (text: string): number =>
  text.match(/no longer kept|does not fit|is not there|cannot be read|were not kept/g)?.length ?? 0;

describe('an output', () => {
  it('that cannot be read does not hide the record: what is wrong is named, and the exit code says so', async () => {
    const home = await ran();
    rmSync(home.output);
    mkdirSync(home.output);
    const { exits, json, text, markdown } = await ask(home);
    expect(exits).toEqual([74, 74, 74, 0]);
    const message = `The output ${home.output} cannot be read (EISDIR).`;
    expect(json).toMatchObject({ output: null, outputProblem: { name: 'unreadable', message } });
    for (const shown of [text, ...markdown]) {
      expect(shown).toContain(message);
      expect(said(shown)).toBe(1);
    }
    expect((await home.run(['history', 'last', '--json'])).stderr).toContain(`warning: ${message}`);
  });

  it('that somebody has removed is missed, with where to look for more', async () => {
    const home = await ran();
    rmSync(home.output);
    const { exits, json, text, markdown } = await ask(home);
    expect(exits).toEqual([0, 0, 0, 0]);
    expect(json).toMatchObject({ output: { stdout: '', intact: null }, outputProblem: { name: 'missing' } });
    for (const shown of [text, ...markdown]) {
      expect(shown).toContain('The output is not there, and was not removed by age or size');
      expect(shown).toContain('runbook audit verify --outputs');
      expect(said(shown)).toBe(1);
    }
    const { exitCode, stdout } = await home.run(['audit', 'verify', '--outputs']);
    expect([exitCode, stdout]).toEqual([
      65,
      expect.stringContaining('is not there, and was not removed by age or size'),
    ]);
  });

  it('that was removed by age is no longer kept, and nothing is missed', async () => {
    const home = await ran();
    const old = new Date(Date.now() - 200 * 24 * 3_600_000);
    utimesSync(home.output, old, old);
    const db = new Database(path.join(home.stateDir, 'ledger.sqlite'));
    db.exec('DELETE FROM turns');
    db.close();
    home.write('Other.md', classic('Other', 'true'));
    await home.run(['execute', '-q', './Other.md', '--history', 'ledger']);
    expect(existsSync(home.output)).toBe(false);
    const runId = path.basename(home.output);
    expect(await home.json(['history', runId])).toMatchObject({ output: { intact: null }, outputProblem: null });
    const { exitCode, stdout } = await home.run(['history', runId]);
    expect([exitCode, said(stdout)]).toEqual([0, 1]);
    expect(stdout).toContain('The output is no longer kept: it was removed by age or size.');
  });

  it('that was emptied gets one statement', async () => {
    const home = await ran();
    writeFileSync(home.output, '');
    const { exits, json, text, markdown } = await ask(home);
    expect(exits).toEqual([74, 74, 74, 0]);
    expect(json).toMatchObject({ output: { intact: false }, outputProblem: { name: 'damaged' } });
    for (const shown of [text, ...markdown]) {
      expect(shown).toContain('does not fit its digest');
      expect(said(shown)).toBe(1);
    }
    for (const shown of [text, markdown[0]]) expect(shown).toContain('Nothing of the output can be shown.');
    expect(JSON.stringify(json)).not.toContain('is shown');
  });

  it('of a run that has printed nothing is not missed', async () => {
    const home = await ran('exit 3');
    rmSync(home.output, { force: true });
    const { json, text } = await ask(home);
    expect(json).toMatchObject({ output: { stdout: '', stderr: '' }, outputProblem: null });
    expect(said(text)).toBe(0);
  });
});
