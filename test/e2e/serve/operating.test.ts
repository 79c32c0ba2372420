import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { BIN, classic, cleanEnvironment } from '../../helpers/cli.ts';
import type { CliResult } from '../../helpers/cli.ts';
import { asObject } from '../../helpers/schemas.ts';
import { startServer } from '../../helpers/server.ts';
import type { TestServer } from '../../helpers/server.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

const server = await startServer({
  env: { SCRIPT_TIMEOUT_SECONDS: '30', ADMIN_CLAIM: 'roles=admin' },
  runbooks: {
    'Hello.md': classic('Hello', 'echo "trace=$TRACEPARENT secret=$PASSWORD"', { env: 'PASSWORD: a secret' }),
    'Closed.md': classic('Closed', 'echo no', { claims: 'roles: nobody' }),
    'Late.md': classic('Late', 'sleep 60').replace('# Script', '# Limits\n```yaml\ntimeout: 1s\n```\n\n# Script'),
    'Slow.md': classic('Slow', 'echo begun; while :; do sleep 0.1; done'),
  },
});
const none = { token: null } as const;

/** The command line of the same machine, with the same ledger. */
async function runbook(of: TestServer, ...args: readonly string[]): Promise<CliResult> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, ['--', BIN, ...args], {
    cwd: of.folder,
    env: cleanEnvironment(of.folder),
    extendEnv: false,
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let looks = 0; looks < 1500; looks += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(20);
  }
  throw new Error(`it did not come to it: ${what}`);
}

/** The line of the log that has these members. */
async function logged(of: TestServer, members: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const fits = (line: Record<string, unknown>): boolean =>
    Object.entries(members).every(([name, value]) => line[name] === value);
  return await until(`the log has ${JSON.stringify(members)}`, () => of.log().find(fits));
}

describe('the log', () => {
  it('has one line for a request, and one for a run: who, what, how, and nothing that is a secret', async () => {
    const token = await server.token({ sub: 'anna', roles: ['sre'] });
    const canary = 'canary-7f3a9';
    const answer = await server.execute('Hello.md', {
      token,
      headers: { 'x-correlation-id': 'corr-1', traceparent: `00-${TRACE}-${PARENT}-01` },
      body: { env_vars: { PASSWORD: canary } },
    });
    expect(answer.output('stdout')).toBe(`trace=00-${TRACE}-${PARENT}-01 secret=***\n`);
    const run = await logged(server, { msg: 'Run ended', correlationId: 'corr-1' });
    expect(run).toMatchObject({
      level: 'info',
      operation: 'execute',
      runId: answer.headers['x-run-id'],
      runbook: 'Hello.md',
      outcome: 'succeeded',
      returnCode: 0,
      subject: 'anna',
      roles: ['sre'],
      address: '127.0.0.1',
      chain: ['Hello.md'],
      traceId: TRACE,
    });
    expect(Date.parse(String(run['start']))).toBeLessThanOrEqual(Date.parse(String(run['finish'])));
    const route = '/api/runbooks/:name/execute';
    const request = await logged(server, { msg: 'Request', correlationId: 'corr-1' });
    expect(request).toMatchObject({ level: 'info', method: 'POST', route, status: 200, subject: 'anna' });
    expect(Date.parse(String(request['time']))).not.toBeNaN();
    const all = JSON.stringify(server.log());
    expect(all).not.toContain(canary);
    expect(all).not.toContain(token.split('.')[2]);
    expect(all).not.toContain('trace=00');
  });

  it('has a trace only where the caller has sent one that holds', async () => {
    const body = { env_vars: { PASSWORD: 'x-y-z-1' } };
    const answer = await server.execute('Hello.md', {
      body,
      headers: { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01` },
    });
    expect(answer.output('stdout')).toContain('trace= ');
  });

  it('shows at WARNING what Stage0’s users alert on, and nothing of what went well', async () => {
    const quiet = await startServer({
      env: { LOGGING_LEVEL: 'WARNING' },
      runbooks: {
        'Closed.md': readFileSync(path.join(server.runbooksDir, 'Closed.md')),
        'Late.md': readFileSync(path.join(server.runbooksDir, 'Late.md')),
      },
    });
    await quiet.post('/api/runbooks/Closed.md/execute', { headers: { 'x-correlation-id': 'c-403' } });
    await quiet.post('/api/runbooks/Late.md/execute', {
      body: { env_vars: { 'A-B': '1' } },
      headers: { 'x-correlation-id': 'c-name' },
    });
    await quiet.post('/api/runbooks/Late.md/execute', { headers: { 'x-correlation-id': 'c-late' } });
    expect((await logged(quiet, { correlationId: 'c-403', msg: 'RBAC failure' }))['level']).toBe('warn');
    expect((await logged(quiet, { correlationId: 'c-late', msg: 'Script execution timed out' }))['level']).toBe('warn');
    expect((await logged(quiet, { correlationId: 'c-name', msg: 'Invalid environment variable name' }))['level']).toBe(
      'warn',
    );
    expect(quiet.log().filter(({ level }) => level === 'info')).toEqual([]);
  });

  it('costs nobody anything when its reader is gone, or its disk is full', async () => {
    for (const stdout of ['/dev/full', '>(true)']) {
      // `exec`: the signals of the test are for the server.
      const below = ['bash', '-c', `exec "$@" > ${stdout}`, 'bash'];
      const deaf = await startServer({ below, runbooks: { 'Hello.md': classic('Hello', 'echo hello') } });
      for (let count = 0; count < 3; count += 1) expect((await deaf.execute('Hello.md')).done()['return_code']).toBe(0);
      expect((await deaf.get('/healthz', none)).status).toBe(200);
      expect((await deaf.stop()).exitCode).toBe(0);
    }
  });
});

describe('metrics', () => {
  it('are Stage0’s three by route and not by path, and ours by runbook', async () => {
    await server.get('/api/runbooks/Hello.md');
    await server.get('/api/runbooks/Nothing.md');
    await server.get('/nothing/at/all', none);
    await server.post('/api/runbooks/Closed.md/execute');
    const { text, headers } = await server.get('/metrics', none);
    expect(headers['content-type']).toContain('version=0.0.4');
    const lines = text.split('\n');
    const value = (start: string): number =>
      Number(
        lines
          .find((line) => line.startsWith(`${start} `))
          ?.split(' ')
          .at(-1),
      );
    const duration = 'flask_http_request_duration_seconds_count';
    expect(value(`${duration}{method="GET",path="/api/runbooks/:name",status="200"}`)).toBeGreaterThan(0);
    expect(value(`${duration}{method="GET",path="/api/runbooks/:name",status="404"}`)).toBeGreaterThan(0);
    expect(value(`${duration}{method="GET",path="unmatched",status="404"}`)).toBeGreaterThan(0);
    expect(value('flask_http_request_total{method="GET",status="404"}')).toBeGreaterThan(1);
    expect(text).toContain('# TYPE flask_http_request_exceptions_total counter');
    expect(value('runbook_runs_total{runbook="Hello.md",outcome="succeeded"}')).toBeGreaterThan(0);
    expect(value('runbook_refusals_total{code="forbidden"}')).toBeGreaterThan(0);
    expect(value('runbook_ready{check="ledger"}')).toBe(1);
    expect(text).toMatch(/^runbook_info\{version="[^"]+"\} 1$/m);
    // A name that anybody may send makes no series of its own, and scrapes are not requests.
    expect(text).not.toMatch(/Nothing\.md|path="\/metrics"|nothing\/at/);
  });

  it('of some names, as they are asked for', async () => {
    const { text } = await server.get('/metrics?name[]=runbook_info&name[]=flask_http_request_total&name[]=none', none);
    expect(new Set(text.match(/^# TYPE \S+/gm))).toEqual(
      new Set(['# TYPE runbook_info', '# TYPE flask_http_request_total']),
    );
  });

  it('are asked for by the names of their series, too, and come once', async () => {
    const typesOf = async (...names: readonly string[]): Promise<readonly string[]> => {
      const query = names.map((name) => `name[]=${name}`).join('&');
      const { status, text } = await server.get(`/metrics?${query}`, none);
      expect(status).toBe(200);
      return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
    };
    const [http, runs] = ['flask_http_request_duration_seconds', 'runbook_run_duration_seconds'];
    for (const series of ['_bucket', '_count', '_sum', '']) expect(await typesOf(http + series)).toEqual([http]);
    expect(await typesOf(`${http}_count`, `${runs}_sum`, `${http}_bucket`, http)).toEqual([http, runs]);
    const { text } = await server.get(`/metrics?name[]=${http}_count`, none);
    expect(text).toMatch(new RegExp(`^${http}_count\\{.*\\} \\d+$`, 'm'));
    // No series of a counter, and no names that every object has.
    for (const name of ['flask_http_request_total_count', '_count', 'constructor', '__proto__', 'toString'])
      expect([name, await typesOf(name)]).toEqual([name, []]);
  });
});

describe('readiness', () => {
  const readyz = async (of: TestServer): Promise<{ readonly status: number; readonly checks: Map<string, string> }> => {
    const { status, text } = await of.get('/readyz', none);
    const { checks } = JSON.parse(text) as { checks: { name: string; ok: boolean; detail: string }[] };
    expect(text).not.toContain(of.folder);
    return { status, checks: new Map(checks.filter(({ ok }) => !ok).map(({ name, detail }) => [name, detail])) };
  };
  const failing = async (of: TestServer, name: string): Promise<string> =>
    await until(`${name} is not ready`, async () => {
      const { status, checks } = await readyz(of);
      return status === 503 ? checks.get(name) : undefined;
    });
  const wellAgain = async (of: TestServer): Promise<void> => {
    await until(`it is ready: ${[...(await readyz(of)).checks].join(' ')}`, async () =>
      (await readyz(of)).status === 200 ? true : undefined,
    );
  };

  it('names what is wrong, without a path, and is well again when that is', async () => {
    const own = await startServer();
    await wellAgain(own);
    renameSync(own.runbooksDir, `${own.runbooksDir}-away`);
    expect(await failing(own, 'runbooks')).toBe('the folder cannot be read; the log says why');
    renameSync(`${own.runbooksDir}-away`, own.runbooksDir);
    await wellAgain(own);
    await logged(own, { check: 'runbooks', msg: 'Not ready' });
    await logged(own, { check: 'runbooks', msg: 'Ready again' });

    renameSync(own.scratch, `${own.scratch}-away`);
    expect(await failing(own, 'work folder')).toBe('none can be made; the log says why');
    renameSync(`${own.scratch}-away`, own.scratch);
    await wellAgain(own);

    const ledger = path.join(own.stateDir, 'ledger.sqlite');
    renameSync(ledger, `${ledger}-away`);
    expect(await failing(own, 'ledger')).toBe('cannot be written; the log says why');
    const { text } = await own.get('/metrics', none);
    expect(text).toMatch(/^runbook_ledger_failures_total\{failure="io"\} [1-9]/m);
    expect(text).not.toMatch(/^runbook_ledger_bytes/m);
    renameSync(`${ledger}-away`, ledger);
    await wellAgain(own);
    expect((await own.get('/metrics', none)).text).toMatch(/^runbook_ledger_bytes [1-9]/m);
  });

  it('looks once a second at most, and reads no document', async () => {
    // What would be read is not there to be read: a name is enough to be counted.
    for (let count = 0; count < 5; count += 1) server.write(`Unreadable${count}.md`, '# Not\n');
    const before = Date.now();
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => (await server.get('/readyz', none)).text),
    );
    // Each second of it may have another answer.
    expect(new Set(answers).size).toBeLessThanOrEqual(2 + Math.ceil((Date.now() - before) / 1000));
    for (let count = 0; count < 5; count += 1) rmSync(path.join(server.runbooksDir, `Unreadable${count}.md`));
  });
});

describe('a start', () => {
  const failed = async (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> => {
    const { exitCode, stdout, stderr } = await execa(
      process.execPath,
      ['--', BIN, 'serve', '--host', '127.0.0.1', ...args],
      {
        cwd: server.folder,
        env: { ...cleanEnvironment(server.folder), JWT_SECRET: server.secret, ...env },
        extendEnv: false,
        reject: false,
        timeout: 60_000,
      },
    );
    return { exitCode, stdout, stderr };
  };

  it('that cannot listen says so in one sentence, with its exit code', async () => {
    const taken = await failed({}, '--port', String(server.port));
    expect(taken.exitCode).toBe(69);
    expect(taken.stderr).toBe(
      `runbook: error: Port ${server.port} of 127.0.0.1 is in use by another program.\n  fix: End that one, or choose another port with --port (API_PORT).`,
    );
    expect((await failed({}, '--port', '70000')).stderr).toContain('70000 is no port.');
    const elsewhere = await failed({}, '--port', '0', '--host', '192.0.2.1');
    expect([elsewhere.exitCode, elsewhere.stderr.split('\n')[0]]).toEqual([
      78,
      'runbook: error: 192.0.2.1 is no address of this machine.',
    ]);
    expect((await failed({}, '--port', 'x')).exitCode).toBe(78);
  });

  it('says what it has, in one block and in one line for machines', async () => {
    const said = server.said();
    expect(said).toMatch(/^runbook serve \S+\n {2}address {6}http:\/\/127\.0\.0\.1:\d+\n {2}pages /m);
    for (const name of ['ledger', 'runbooks', 'work folder', 'containment', 'keys', 'login'])
      expect(said).toMatch(new RegExp(`^  ${name.padEnd(12)} \\S`, 'm'));

    const child = execa(process.execPath, ['--', BIN, 'serve', '--port', '0', '--host', '127.0.0.1', '--json'], {
      cwd: server.folder,
      env: { ...cleanEnvironment(server.folder), JWT_SECRET: server.secret, RUNBOOKS_DIR: `${server.folder}/nowhere` },
      extendEnv: false,
      reject: false,
    });
    try {
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      const ready = await until('the document for machines', () =>
        text.endsWith('\n') ? asObject(JSON.parse(text)) : undefined,
      );
      expect(ready).toMatchObject({ schemaVersion: 1, command: 'serve', login: false, ready: false, pid: child.pid });
      expect(ready['checks']).toContainEqual({
        name: 'runbooks',
        ok: false,
        detail: 'the folder cannot be read; the log says why',
      });
      expect((await fetch(`${String(ready['address'])}/healthz`)).status).toBe(200);
    } finally {
      child.kill('SIGTERM');
    }
    const { exitCode, stdout, stderr } = await child;
    expect([exitCode, stdout.split('\n').length]).toEqual([0, 1]);
    // The log, and nothing that is none.
    const lines = stderr.split('\n').map((one) => asObject(JSON.parse(one))['msg']);
    for (const msg of ['Not ready', 'Request', 'Ended']) expect(lines).toContain(msg);
  });

  it('shows examples', async () => {
    const { stdout } = await runbook(server, 'serve', '--help');
    expect(stdout).toContain('ENABLE_LOGIN=true runbook serve');
  });
});

describe('beside the command line', () => {
  it('is one ledger: runs of both are listed, a run of the server is seen and ended from a terminal', async () => {
    writeFileSync(path.join(server.folder, 'Own.md'), classic('Own', 'echo own'));
    expect((await runbook(server, 'execute', './Own.md', '--history', 'ledger')).exitCode).toBe(0);
    const response = await server.open('POST', '/api/runbooks/Slow.md/execute');
    const runId = String(response.headers['x-run-id']);
    const ps = await until('the run is seen', async () => {
      const { stdout } = await runbook(server, 'ps', '--json');
      return stdout.includes(runId) ? stdout : undefined;
    });
    expect(ps).toContain('"subject": "anna"');
    expect((await runbook(server, 'cancel', runId, '--reason', 'wrong host')).exitCode).toBe(0);
    let text = '';
    for await (const chunk of response) text += String(chunk);
    expect(text).toContain('event: done');
    expect(text).toContain('wrong host');
    const { stdout } = await runbook(server, 'history', '--json');
    const { runs } = JSON.parse(stdout) as { runs: { runbook: { name: string }; source: string }[] };
    const seen = new Set(runs.map(({ runbook: { name }, source }) => `${name} ${source}`));
    for (const one of ['Own cli', 'Slow api']) expect(seen).toContain(one);
  });

  it('reads its keys again at SIGHUP, says so, and goes on', async () => {
    server.kill('SIGHUP');
    await logged(server, { msg: 'Keys were read again' });
    expect((await server.get('/api/runbooks')).status).toBe(200);
  });
});
