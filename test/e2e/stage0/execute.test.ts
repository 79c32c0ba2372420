/** Stage0's rules for executing: section 6 of what was observed of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { eventually } from '../../helpers/background.ts';
import { classic } from '../../helpers/cli.ts';
import { readEvents } from '../../helpers/event-stream.ts';
import { startServer } from '../../helpers/server.ts';

const CAP = 3000;
const script = (name: string, body: string, sections = {}): Record<string, string> => ({
  [`${name}.md`]: classic(name, body, { tag: 'sh', ...sections }),
});
const server = await startServer({
  env: {
    MAX_OUTPUT_SIZE_BYTES: String(CAP),
    MAX_RECURSION_DEPTH: '3',
    MOUNT_DIR: '/host/execution/',
    SECRET_OF_SERVER: 'x',
  },
  runbooks: {
    ...script('Lines', 'echo one; echo; echo two; echo wrong >&2; printf last'),
    ...script('Code', 'exit 7'),
    ...script('Signal', 'kill -9 $$'),
    ...script('Environment', 'env | sort'),
    ...script('Values', 'env | grep -E "^(N|F|T|Z|E|B|TAB)=" | sort; printf "%s" "$TAB" | od -c | head -1', {
      env: 'B:\n  type: boolean',
    }),
    ...script('Needs', 'echo never', { env: 'FIRST: One\nSECOND: Two' }),
    ...script('Inputs', 'cat sub/data.txt; ls folder', { inputs: 'Input:\n- sub/data.txt\n- folder' }),
    ...script('Escapes', 'echo never', { inputs: 'Input:\n- ../outside.txt' }),
    ...script('Zsh', 'for n in {1..$COUNT}; do echo $n; done; echo ${${:-abc}:u}', { env: 'COUNT: How many' }),
    ...script('Much', 'for n in $(seq 1000); do echo "line $n"; done; echo end >&2'),
    ...script('Bytes', String.raw`printf 'a\xff\xfeb\xe2\x82'; printf '\xac\n'; printf '\xe2'`),
    ...script('Returns', String.raw`printf 'a\r\nb\rc\n\r\nd\r'`),
    ...script(
      'Progress',
      // It gives up before the test does.
      `wait_for() { n=0; while [ ! -e "$1" ]; do n=$((n+1)); [ $n -lt 600 ] || exit 9; sleep 0.05; done; }
printf "Sure? " >&2; wait_for "$GO"; printf "10%%\\r"; wait_for "$GO-on"; echo ready; echo yes >&2`,
      { env: 'GO: File' },
    ),
    ...script('Waits', 'echo begun; until [ -e "$GO" ]; do sleep 0.05; done; echo gone on', { env: 'GO: File' }),
    ...script('Flood', 'seq 1 3000000; touch "$END"', { env: 'END: File' }),
    ...script('Stdin', 'cat; echo "end of input"'),
    'Renamed.md': classic('Other', 'true'),
    'Slow.md': classic('Slow', 'echo begun; sleep 60').replace(
      '# Script',
      '# Limits\n```yaml\ntimeout: 3s\n```\n\n# Script',
    ),
    'Broken.md': '# Broken\n\n# Script\n',
  },
  prepare: (folder) => {
    const runbooks = path.join(folder, 'runbooks');
    for (const name of ['sub', 'folder']) mkdirSync(path.join(runbooks, name));
    writeFileSync(path.join(runbooks, 'sub/data.txt'), 'some data\n');
    writeFileSync(path.join(runbooks, 'folder/inner'), '');
  },
});
const env = (env_vars: Readonly<Record<string, unknown>>) => ({ body: { env_vars } });

test('6 head: an event stream that nobody keeps or holds back', async () => {
  const { status, headers } = await server.execute('Code.md');
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    'transfer-encoding': 'chunked',
    'x-run-id': expect.stringMatching(/^[0-9A-Z]{26}$/),
  });
});

test('6 events: whole lines with their line feed, the last line without one, then done', async () => {
  const run = await server.execute('Lines.md');
  expect(run.output('stdout')).toBe('one\n\ntwo\nlast');
  expect(run.output('stderr')).toBe('wrong\n');
  expect(run.text).toMatch(/^event: stderr\ndata: wrong\ndata: \n\n/m);
  expect(run.text).not.toMatch(/^(?:id|retry):/m);
  expect(new Set(run.events.map(({ event }) => event))).toEqual(new Set(['stdout', 'stderr', 'done']));
  expect(run.events.filter(({ event }) => event === 'done')).toHaveLength(1);
  expect(run.events.at(-1)?.event).toBe('done');
});

test('6 done: all of it once more', async () => {
  expect((await server.execute('Lines.md')).done()).toEqual({
    success: true,
    runbook: 'Lines.md',
    return_code: 0,
    stdout: 'one\n\ntwo\nlast',
    stderr: 'wrong\n',
    errors: [],
    warnings: [],
  });
});

test('6 done: the script’s own code; 128+n where a signal ended it', async () => {
  expect((await server.execute('Code.md')).done()).toMatchObject({ success: false, return_code: 7, errors: [] });
  expect((await server.execute('Signal.md')).done()).toMatchObject({ success: false, return_code: 137 });
});

test('6 timeout: 124, Stage0’s sentence as an event and in stderr, what was printed stays', async () => {
  const run = await server.execute('Slow.md');
  const text = '\nScript execution timed out after 3 seconds. The script was terminated.\n';
  expect(run.output('stderr')).toBe(text);
  expect(run.done()).toMatchObject({ success: false, return_code: 124, stdout: 'begun\n', stderr: text });
  const line = expect.objectContaining({ level: 'warn', msg: 'Script execution timed out' }) as object;
  await vi.waitFor(() => expect(server.log()).toContainEqual(line), { timeout: 30_000 });
});

test('6 order: found, chain, claims, validation, names', async () => {
  const token = await server.token({ roles: ['developer'] });
  server.write('Guarded.md', classic('Guarded', 'true', { claims: 'roles: sre', env: 'A: b' }));
  const chain = { 'x-recursion-stack': '["Guarded.md"]' };
  expect((await server.execute('None.md', { token, headers: chain })).status).toBe(404);
  expect((await server.execute('Guarded.md', { token, headers: chain })).output('stderr')).toMatch(
    /^Recursion detected/,
  );
  expect((await server.execute('Guarded.md', { token })).status).toBe(403);
  expect((await server.execute('Guarded.md', env({ '1': '' }))).output('stderr')).toMatch(/^ERROR: Invalid/);
  expect((await server.execute('Guarded.md')).output('stderr')).toBe('Required environment variable not set: A');
});

test('6 recursion: a runbook of the chain, told as Python prints a list', async () => {
  const headers = { 'x-recursion-stack': '["A.md", "it\'s.md"]' };
  server.write("it's.md", classic("it's", 'true'));
  const text = `Recursion detected: Runbook it's.md already in execution chain: ['A.md', "it's.md"]`;
  const run = await server.execute("it's.md", { headers });
  expect(run.events).toHaveLength(2);
  expect(run.output('stderr')).toBe(text);
  expect(run.done()).toMatchObject({ success: false, return_code: 1, stdout: '', stderr: text, errors: [text] });
});

test('6 recursion: a chain as long as the limit', async () => {
  const text = 'Recursion depth limit exceeded: 3 (max: 3)';
  const run = await server.execute('Code.md', { headers: { 'x-recursion-stack': '["A.md", "B.md", "C.md"]' } });
  expect(run.done()).toMatchObject({ return_code: 1, stderr: text, errors: [text] });
});

test('6 recursion: a header that is no list of texts is passed over', async () => {
  for (const header of ['', 'x', '{}', '[1]', '"Code.md"', '[["Code.md"]]'])
    expect((await server.execute('Code.md', { headers: { 'x-recursion-stack': header } })).done()).toMatchObject({
      return_code: 7,
    });
});

test('6 validation: one event with all messages, and done', async () => {
  const errors = ['Required environment variable not set: FIRST', 'Required environment variable not set: SECOND'];
  const run = await server.execute('Needs.md');
  expect(run.events).toHaveLength(2);
  expect(run.output('stderr')).toBe(errors.join('\n'));
  expect(run.done()).toEqual({
    success: false,
    runbook: 'Needs.md',
    return_code: 1,
    stdout: '',
    stderr: errors.join('\n'),
    errors,
    warnings: [],
  });
  expect((await server.execute('Broken.md')).done()['errors']).toContain('Missing required section: History');
});

test('5.8 the other name is a warning of a run that took place', async () => {
  const warnings = ["Runbook name 'Other' does not match filename 'Renamed'"];
  expect((await server.execute('Renamed.md')).done()).toMatchObject({ success: true, warnings });
});

test('6 environment, names: one that is none', async () => {
  const run = await server.execute('Code.md', env({ 'NO-NAME': 'x' }));
  expect(run.output('stderr')).toBe('ERROR: Invalid environment variable name: NO-NAME\n');
  expect(run.done()).toMatchObject({ success: false, return_code: 1 });
  const line = expect.objectContaining({ level: 'warn', msg: 'Invalid environment variable name' }) as object;
  await vi.waitFor(() => expect(server.log()).toContainEqual(line), { timeout: 30_000 });
  expect((await server.execute('Code.md', env({ 'OK\n': 'x' }))).done()).toMatchObject({ return_code: 1 });
});

test('6 environment, values: null is empty, others in Python’s spelling, a declared boolean in ours', async () => {
  const { output } = await server.execute(
    'Values.md',
    env({ N: null, F: 1.5, T: true, Z: 0, E: '', B: true, TAB: 'a\tb\nc\r' }),
  );
  expect(output('stdout')).toMatch(/^B=true\nE=\nF=1\.5\nN=\nT=True\nTAB=a\tb\nZ=0\n/);
});

test('6 environment, reserved names are passed over', async () => {
  const names = 'API_TOKEN CORRELATION_ID URL RECURSION_STACK H_AUTH H_CORR H_RECUR H_CTYPE HEADERS EXEC_DIR_HOST';
  const given = Object.fromEntries(names.split(' ').map((name) => [`RUNBOOK_${name}`, 'forged']));
  const run = await server.execute('Environment.md', env(given));
  expect(run.output('stdout')).not.toContain('forged');
  expect(run.done()['warnings']).toHaveLength(10);
});

test('6 environment of a script: Stage0’s names and their values; of the server nothing', async () => {
  const headers = { 'x-correlation-id': 'corr-1', 'x-recursion-stack': '["A.md"]' };
  const run = await server.execute('Environment.md', { headers, ...env({ MINE: 'yes' }) });
  const found = new Map(
    run
      .output('stdout')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const stack = '["A.md","Environment.md"]';
  expect(Object.fromEntries(found)).toMatchObject({
    MINE: 'yes',
    RUNBOOK_CORRELATION_ID: 'corr-1',
    RUNBOOK_URL: `http://127.0.0.1:${server.port}/api/runbooks`,
    RUNBOOK_RECURSION_STACK: stack,
    RUNBOOK_H_CORR: 'X-Correlation-Id: corr-1',
    RUNBOOK_H_RECUR: `X-Recursion-Stack: ${stack}`,
    RUNBOOK_H_CTYPE: 'Content-Type: application/json',
    RUNBOOK_H_AUTH: expect.stringMatching(/^Authorization: Bearer /),
    RUNBOOK_HEADERS: expect.stringMatching(/^-H '?X-Recursion.* -H '?X-Corr.* -H '?Authorization.* -H '?Content-Type/),
    RUNBOOK_EXEC_DIR_HOST: expect.stringMatching(/^\/host\/execution\/runbook-exec-/),
  });
  expect(found.has('RUNBOOK_API_TOKEN')).toBe(true);
  expect(found.has('SECRET_OF_SERVER')).toBe(false);
  expect(run.text).not.toContain(server.secret);
  for (const name of ['JWT_SECRET', 'RUNBOOKS_DIR', 'EXECUTION_DIR']) expect(found.has(name)).toBe(false);
});

test('6 run: zsh, whatever the tag says, nothing on stdin, the folder is gone afterwards', async () => {
  expect((await server.execute('Zsh.md', env({ COUNT: '3' }))).output('stdout')).toBe('1\n2\n3\nABC\n');
  expect((await server.execute('Stdin.md')).output('stdout')).toBe('end of input\n');
  expect(readdirSync(server.scratch).filter((name) => name.startsWith('runbook-exec-'))).toEqual([]);
});

test('6 inputs: each where it lies beside the runbook, folders with what is in them', async () => {
  expect((await server.execute('Inputs.md')).output('stdout')).toBe('some data\ninner\n');
});

test('6 inputs: nothing from outside', async () => {
  const run = await server.execute('Escapes.md');
  expect(run.done()).toMatchObject({ success: false, return_code: 1 });
  expect(run.text).not.toContain(server.folder);
});

test('6 limit: the stream has all of it, done the beginning, the end and the warning', async () => {
  const run = await server.execute('Much.md');
  expect(run.output('stdout').split('\n')).toHaveLength(1001);
  const { stdout, stderr, return_code: code } = run.done();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^line 1\nline 2\n/);
  expect(stdout).toMatch(/line 1000\n$/);
  expect(String(stdout).length).toBeLessThanOrEqual(CAP);
  expect(stderr).toBe(`end\n\n[WARNING: Output truncated due to size limit (${CAP} bytes)]\n`);
  expect(run.output('stderr')).toBe('end\n');
});

test('6 bytes that are no text are shown as such, and nothing is lost', async () => {
  const run = await server.execute('Bytes.md');
  expect(run.output('stdout')).toBe('a\ufffd\ufffdb\u20ac\n\ufffd');
  expect(run.done()).toMatchObject({ success: true, stdout: 'a\ufffd\ufffdb\u20ac\n\ufffd' });
});

test('6 CR and CRLF become LF', async () => {
  const run = await server.execute('Returns.md');
  expect(run.output('stdout')).toBe('a\nb\nc\n\nd\n');
  expect(run.done()['stdout']).toBe('a\nb\nc\n\nd\n');
});

test('D25 a line appears before its end does', async () => {
  const go = path.join(server.folder, 'go-progress');
  const response = await server.open('POST', '/api/runbooks/Progress.md/execute', env({ GO: go }));
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    // The script waits for these files, so it only goes on where each line is shown without its end.
    if (text.includes('data: Sure? \n')) writeFileSync(go, '');
    if (text.includes('data: 10%\n')) writeFileSync(`${go}-on`, '');
  }
  const events = readEvents(text);
  const shown = (name: string): string[] => events.flatMap(({ event, data }) => (event === name ? [data] : []));
  expect([shown('stdout'), shown('stderr')]).toEqual([
    ['10%', '\nready\n'],
    ['Sure? ', 'yes\n'],
  ]);
  expect(events.at(-1)?.data).toContain('"return_code": 0, "stdout": "10%\\nready\\n", "stderr": "Sure? yes\\n"');
});

test('6 a caller who leaves: the run goes on and is recorded', async () => {
  const go = path.join(server.folder, 'go-waits');
  const response = await server.open('POST', '/api/runbooks/Waits.md/execute', env({ GO: go }));
  for await (const chunk of response) if (String(chunk).includes('begun')) break;
  response.destroy();
  writeFileSync(go, '');
  const file = path.join(server.runbooksDir, 'Waits.md');
  await eventually(
    () => readFileSync(file, 'utf8').includes('Exit Code'),
    () => readFileSync(file, 'utf8'),
  );
  expect(readFileSync(file, 'utf8')).toMatch(/Exit Code: 0[\s\S]*gone on/);
  const line = expect.objectContaining({
    msg: 'Request',
    aborted: true,
    route: '/api/runbooks/:name/execute',
  }) as object;
  await vi.waitFor(() => expect(server.log()).toContainEqual(line), { timeout: 30_000 });
});

test('a caller who does not read: the run goes on, and what was left out is said', async () => {
  const end = path.join(server.folder, 'end-of-flood');
  const response = await server.open('POST', '/api/runbooks/Flood.md/execute', env({ END: end }));
  await eventually(
    () => existsSync(end),
    () => 'the end of a script that nobody listens to',
  );
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect(text).toContain('\n\n: some output was left out here');
  const events = readEvents(text);
  expect(events.at(-1)?.event).toBe('done');
  expect(events.filter(({ event }) => event === 'done')).toHaveLength(1);
});

test('a caller who reads gets everything, however much it is', async () => {
  const end = path.join(server.folder, 'end-of-reading');
  const response = await server.open('POST', '/api/runbooks/Flood.md/execute', env({ END: end }));
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const shown = readEvents(text)
    .filter(({ event }) => event === 'stdout')
    .map(({ data }) => data)
    .join('');
  expect(text).not.toContain('left out here');
  expect(shown.length).toBe(
    '1\n'.length * 9 + '10\n'.length * 90 + 4 * 900 + 5 * 9000 + 6 * 90_000 + 7 * 900_000 + 8 * 2_000_001,
  );
});
