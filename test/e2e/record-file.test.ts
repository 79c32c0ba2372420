/** `execute --record FILE`: there is the record of this run, whole and private, whatever became of it; or there is none. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { asObject, violations } from '../helpers/schemas.ts';

/** What the file says, which has to fit the schema. */
function recordOf(home: Home, name = 'record.json'): Readonly<Record<string, unknown>> {
  const document: unknown = JSON.parse(readFileSync(path.join(home.folder, name), 'utf8'));
  expect(violations('history', document)).toEqual([]);
  return asObject(document);
}

/** The beginning is what shows it. */
const EARLIER = '{\n  "schemaVersion": 1,\n  "command": "history",\n  "run": {\n';

const runOf = (home: Home): Readonly<Record<string, unknown>> => asObject(recordOf(home)['run']);

const execute = (home: Home, script: string, ...options: readonly string[]) => {
  home.write('Task.md', classic('Task', script));
  const call = ['execute', './Task.md', '--history', 'ledger', '--record', 'record.json', ...options];
  return home.run(call, script.includes('begun') ? { termAt: 'begun' } : {});
};

describe('the record is what `history RUN --json` says', () => {
  it.each([
    ['succeeded', 'echo out; echo err >&2; seq 40000', [], 0],
    ['failed', 'printf "\\377\\000x"; exit 3', [], 3],
    ['canceled', 'touch "$HOME/begun"; exec sleep 300', [], 143],
    ['timed-out', 'sleep 60', ['--timeout', '1s'], 124],
    ['spawn-failed', 'true', ['--execution-dir', 'file'], 74],
    ['refused before it was read', 'true', ['--env', 'A=@nowhere'], 66],
    ['refused', 'true', ['--env', 'LD_PRELOAD=x'], 64],
  ])('%s', async (_, script, options, exit) => {
    const home = createHome();
    home.write('file', '');
    home.write('record.json', EARLIER);
    const { exitCode } = await execute(home, script, ...options);
    expect(exitCode).toBe(exit);
    const runId = String(runOf(home)['runId']);
    expect(recordOf(home)).toEqual(await home.json(['history', runId]));
    expect(readFileSync(path.join(home.folder, 'record.json'), 'utf8')).toBe(
      (await home.run(['history', runId, '--json'])).stdout,
    );
    expect(lstatSync(path.join(home.folder, 'record.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(home.folder).filter((name) => name.endsWith('.tmp') && name !== '.tmp')).toEqual([]);
  });

  it('with --history none it is made of what the run told, and has no place in a chain', async () => {
    const home = createHome();
    await execute(home, 'echo out; exit 3', '--history', 'none');
    expect(recordOf(home)).toMatchObject({
      run: { state: 'finished', result: { outcome: 'failed', exitCode: 3 }, seq: null, prev: null, hash: null },
      output: { stdout: 'out\n', stderr: '', dropped: 0, intact: true },
    });
    await execute(home, 'true', '--history', 'none', '--env', 'LD_PRELOAD=x');
    expect(runOf(home)).toMatchObject({ state: 'refused', refusal: { code: 'variable-denied' }, seq: null });
    expect(existsSync(home.stateDir)).toBe(false);
  });

  it.each(['ledger', 'none'])('secrets are not in it, history %s', async (mode) => {
    const home = createHome();
    home.write('Task.md', classic('Task', 'echo "$API_TOKEN"; echo "${API_TOKEN:?}" >&2', { env: 'API_TOKEN: one' }));
    const call = ['execute', './Task.md', '--history', mode, '--record', 'record.json', '--env', 'API_TOKEN'];
    const env = { API_TOKEN: 'canary-4711-canary' };
    await home.run([...call, '--incident', 'INC canary-4711-canary'], { env });
    expect(recordOf(home)).toMatchObject({
      run: { incident: 'INC ***' },
      output: { stdout: '***\n', stderr: '***\n' },
    });
    expect(JSON.stringify(recordOf(home))).not.toContain('canary');
  });
});

describe('what a caller says of an incident', () => {
  it.each([
    ['before the document is read', ['--token-file', 'token'], 'unauthenticated'],
    ['where claims are missing', [], 'unauthenticated'],
    ['where the document is none', [], 'runbook-invalid'],
    ['in the document', ['--env', 'LD_PRELOAD=x'], 'variable-denied'],
  ])('is masked in the record of a refusal %s', async (_, options, code) => {
    const home = createHome();
    home.write('token', 'a.b.c');
    const claims = code === 'variable-denied' ? {} : { claims: code === 'unauthenticated' ? 'roles: [sre]' : 'roles' };
    home.write('Task.md', classic('Task', 'true', { env: 'PIN:\n  secret: true', ...claims }));
    const call = ['execute', './Task.md', '--record', 'record.json', '--incident', 'canary-1 db-3', '--env', 'PIN'];
    const env = { PIN: 'canary-1', RUNBOOK_JWT_SECRET: 'an-obvious-secret-of-more-than-32-bytes' };
    await home.run([...call, ...options, '--env', 'HOST=db-3'], { env });
    expect(runOf(home)).toMatchObject({ state: 'refused', refusal: { code }, incident: '*** db-3' });
  });

  it('is one line, and not a long one', async () => {
    const home = createHome();
    for (const incident of ['', '  ', 'a\nb', 'a\u001Bb', 'x'.repeat(201)]) {
      const { exitCode, stderr } = await execute(home, 'touch "$HOME/ran"', '--incident', incident);
      expect(stderr).toMatch(/error: --incident is not one line of 1 to 200 characters\.\n {2}fix: /);
      expect(exitCode).toBe(64);
    }
    expect(existsSync(path.join(home.folder, 'ran'))).toBe(false);
    expect((await execute(home, 'true', '--incident', 'ä'.repeat(200))).exitCode).toBe(0);
  });
});

describe('a file that is not to be written', () => {
  it('of an earlier run is gone where there is no record of this one', async () => {
    const home = createHome();
    const file = home.write('record.json', EARLIER);
    home.write('Task.md', classic('Task', 'true'));
    const env = { RUNBOOK_TIMEUOT: '1m' };
    const { exitCode } = await home.run(['execute', './Task.md', '--record', 'record.json'], { env });
    expect(exitCode).toBe(78);
    expect(existsSync(file)).toBe(false);
  });

  it('is refused where it is no regular file or has no folder, and nothing is run', async () => {
    const home = createHome();
    home.write('target', 'mine');
    symlinkSync('target', path.join(home.folder, 'link'));
    mkdirSync(path.join(home.folder, 'folder'));
    for (const [name, exit, says] of [
      ['link', 64, /is not a regular file/],
      ['folder', 64, /is not a regular file/],
      ['/dev/null', 64, /is not a regular file/],
      ['nowhere/record.json', 74, /cannot be written \(ENOENT\)/],
      ['', 64, /error: --record: no file is named\./],
    ] as const) {
      const { exitCode, stderr } = await execute(home, 'touch "$HOME/ran"', '--record', name);
      expect(stderr).toMatch(says);
      expect(exitCode).toBe(exit);
    }
    expect(readFileSync(path.join(home.folder, 'target'), 'utf8')).toBe('mine');
    expect(lstatSync(path.join(home.folder, 'link')).isSymbolicLink()).toBe(true);
    expect(existsSync(path.join(home.folder, 'ran'))).toBe(false);
  });

  it('is refused where it holds anything but a record, and stays as it is', async () => {
    const home = createHome();
    expect((await execute(home, 'true', '--record', 'first.json')).exitCode).toBe(0);
    const ledger = path.join(home.stateDir, 'ledger.sqlite');
    const list = JSON.stringify({ schemaVersion: 1, command: 'history', runs: [] });
    home.write('list.json', list);
    home.write('token', 'a.b.c');
    const size = lstatSync(ledger).size;
    const kept = { ledger: readFileSync(ledger), runbook: readFileSync(path.join(home.folder, 'Task.md')) };
    for (const [name, says] of [
      ['Task.md', /Task\.md is there and is not a record of a run/],
      ['token', /token is there and is not a record/],
      ['list.json', /list\.json is there and is not a record/],
      [ledger, /lies in a state folder/],
      [path.join(home.stateDir, 'new.json'), /lies in a state folder/],
      [path.join(home.stateDir, 'output', 'new.json'), /lies in a state folder/],
    ] as const) {
      const call = ['execute', './Task.md', '--history', 'ledger', '--record', name];
      const { exitCode, stderr } = await home.run(call);
      expect(stderr).toMatch(says);
      expect(exitCode).toBe(64);
    }
    expect(readFileSync(path.join(home.folder, 'Task.md'))).toEqual(kept.runbook);
    expect(readFileSync(path.join(home.folder, 'token'), 'utf8')).toBe('a.b.c');
    expect(readFileSync(path.join(home.folder, 'list.json'), 'utf8')).toBe(list);
    expect(lstatSync(ledger).size).toBe(size);
    expect(readFileSync(ledger)).toEqual(kept.ledger);
    expect(readdirSync(home.stateDir)).not.toContain('new.json');
  });

  it('is refused in a state folder that has no ledger yet', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'state'));
    const { exitCode, stderr } = await execute(home, 'true', '--state-dir', 'state', '--record', 'state/ledger.sqlite');
    expect(stderr).toMatch(/state\/ledger\.sqlite lies in a state folder/);
    expect(exitCode).toBe(64);
    expect(readdirSync(path.join(home.folder, 'state'))).toEqual([]);
  });

  it('is replaced where it is empty, or a record of an earlier run', async () => {
    const home = createHome();
    home.write('record.json', '');
    await execute(home, 'exit 1');
    const { runId } = runOf(home);
    await execute(home, 'exit 2');
    expect(runOf(home)).toMatchObject({ result: { exitCode: 2 } });
    expect(runOf(home)['runId']).not.toBe(runId);
  });

  it.each([
    ['0', 74],
    ['3', 3],
  ])('that cannot be written in the end is a warning; a script’s exit %s makes that %i', async (script, exit) => {
    const home = createHome();
    const { exitCode, stderr, stdout } = await execute(home, `mkdir "$HOME/record.json"; exit ${script}`, '--json');
    expect(stderr).toMatch(/warning: --record: record\.json is there and is not a regular file/);
    expect(exitCode).toBe(exit);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: exit });
    expect(violations('execute', JSON.parse(stdout))).toEqual([]);
    expect(readdirSync(path.join(home.folder, 'record.json'))).toEqual([]);
    expect(await home.json(['history'])).toMatchObject({ runs: [{ result: { exitCode: Number(script) } }] });
  });
});
