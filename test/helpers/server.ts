/** Runs `runbook serve` as an operator would: the real bundle on a free port of 127.0.0.1, folders of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { SignJWT } from 'jose';
import { afterAll, expect, onTestFinished } from 'vitest';
import { BIN, cleanEnvironment } from './cli.ts';
import type { CliResult } from './cli.ts';
import { readDescription } from './described.ts';
import type { Description } from './described.ts';
import { readEvents } from './event-stream.ts';
import type { StreamEvent } from './event-stream.ts';

export interface ServerOptions {
  /** File names → texts of the served folder. */
  readonly runbooks?: Readonly<Record<string, string | Uint8Array>>;
  /** Over those that every server gets; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  /** Programs and their arguments that stand before it. */
  readonly below?: readonly string[];
  /** Called before the start, with the folder of everything. */
  readonly prepare?: (folder: string) => void;
}

export interface RequestOptions {
  /** Text of the token; null: no such header. Default: one with the role `sre`. */
  readonly token?: string | null;
  readonly headers?: OutgoingHttpHeaders;
  /** Text and bytes go as they are, anything else as JSON with its content type. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. @throws SyntaxError */
  readonly json: () => Readonly<Record<string, unknown>>;
}

export interface Execution extends Answer {
  /** With `done` last. */
  readonly events: readonly StreamEvent[];
  /** Data of `done`. @throws SyntaxError */
  readonly done: () => Readonly<Record<string, unknown>>;
  /** Data of all events of the name, as a client joins it. */
  readonly output: (name: 'stdout' | 'stderr') => string;
}

export interface TestServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Everything of it lies below; also its HOME. */
  readonly folder: string;
  readonly runbooksDir: string;
  readonly stateDir: string;
  /** Where work folders are made. */
  readonly scratch: string;
  readonly secret: string;
  /** What it has said on stderr. */
  said(): string;
  /** Its log so far, a line an object. */
  log(): readonly Readonly<Record<string, unknown>>[];
  /** Signed with the server's secret; a claim that is undefined is left out. */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Writes a document into the served folder. @returns its path */
  write(name: string, text: string | Uint8Array): string;
  /** The path goes over the wire as it is written. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  get(path: string, options?: RequestOptions): Promise<Answer>;
  post(path: string, options?: RequestOptions): Promise<Answer>;
  patch(path: string, options?: RequestOptions): Promise<Answer>;
  /** Resolves with the head of the answer; the caller reads, or destroys, the rest. */
  open(method: string, path: string, options?: RequestOptions): Promise<IncomingMessage>;
  /** To its end. */
  execute(name: string, options?: RequestOptions): Promise<Execution>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM; resolves when the process has ended. */
  stop(): Promise<CliResult>;
  /** Resolves when the process has ended by itself. */
  readonly ended: Promise<CliResult>;
}

/**
 * To be called while a test file is read (`const server = await startServer()`): ends with the file; or within a test: ends
 * with the test. What it leaves is removed with its folder.
 *
 * @throws Error where it does not start, with what it said
 */
export async function startServer({
  runbooks = {},
  env = {},
  args = [],
  below = [],
  prepare,
}: ServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'runbook-server-'));
  const secret = 'an-own-secret-of-the-tests-0123456789abcdef';
  const runbooksDir = path.join(folder, 'runbooks');
  const scratch = path.join(folder, 'scratch');
  for (const name of [runbooksDir, scratch]) mkdirSync(name);
  for (const [name, text] of Object.entries(runbooks)) writeFileSync(path.join(runbooksDir, name), text);
  prepare?.(folder);

  const environment = {
    ...cleanEnvironment(folder),
    RUNBOOKS_DIR: runbooksDir,
    EXECUTION_DIR: scratch,
    JWT_SECRET: secret,
    API_HOST: '127.0.0.1',
    // Tests ask more often than anybody; those of limits switch it on.
    RATE_LIMIT_ENABLED: 'false',
    ...env,
  };
  const [program, ...before] = [...below, process.execPath];
  const child = execa(program, [...before, '--', BIN, 'serve', '--host', '127.0.0.1', '--port', '0', ...args], {
    cwd: folder,
    env: Object.fromEntries(
      Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
    // A server that drains may take its time: it is killed by nobody behind the test's back.
    forceKillAfterDelay: false,
    maxBuffer: 1024 ** 3,
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      text[stream] += chunk.toString();
    });
  const state = { hasEnded: false };
  const ended = child.then(({ exitCode, stdout, stderr }) => {
    state.hasEnded = true;
    return { exitCode, stdout, stderr };
  });
  const stop = async (): Promise<CliResult> => {
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    return await ended;
  };
  const release = async (): Promise<void> => {
    // The first lets it wait for its runs, the second ends them.
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    const hurry = setTimeout(() => child.kill('SIGTERM'), 200);
    const last = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(hurry);
    clearTimeout(last);
    rmSync(folder, { recursive: true, force: true });
  };
  if (expect.getState().currentTestName === undefined) afterAll(release);
  else onTestFinished(release);

  const url = await addressOf();
  const { port } = new URL(url);
  let description: Description | null = null;
  await healthy();
  // From now on every answer has to be as it is described.
  description = readDescription((await ask('GET', '/docs/openapi.yaml', { token: null })).text);

  async function addressOf(): Promise<string> {
    for (let waits = 0; waits < 3000 && !state.hasEnded; waits += 1) {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text.stderr)?.[0];
      if (found !== undefined) return found;
      await delay(20);
    }
    throw new Error(`it did not start:\n${text.stderr}${text.stdout}`);
  }

  async function healthy(): Promise<void> {
    for (let waits = 0; waits < 600 && !state.hasEnded; waits += 1) {
      const answer = await ask('GET', '/healthz', { token: null }).catch(() => null);
      if (answer?.status === 200) return;
      await delay(50);
    }
    throw new Error(`it is not healthy:\n${text.stderr}${text.stdout}`);
  }

  async function token(
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const given = { iss: 'dev-idp', aud: 'dev-api', sub: 'anna', roles: ['sre'], iat: now, exp: now + 3600, ...claims };
    const payload = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    return await new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
      .sign(new TextEncoder().encode(secret));
  }

  async function open(method: string, address: string, options: RequestOptions = {}): Promise<IncomingMessage> {
    const { headers = {}, body } = options;
    const bearer = options.token === undefined ? await token() : options.token;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const payload = body === undefined ? null : isRaw ? body : JSON.stringify(body);
    const all: OutgoingHttpHeaders = {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(payload === null || isRaw ? {} : { 'content-type': 'application/json' }),
      ...(payload === null ? {} : { 'content-length': Buffer.byteLength(payload) }),
      ...headers,
    };
    return await new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, method, path: address, headers: all, agent: false });
      request.on('response', resolve).on('error', reject);
      request.end(payload ?? undefined);
    });
  }

  async function ask(method: string, address: string, options: RequestOptions = {}): Promise<Answer> {
    const response = await open(method, address, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const answer = { status: response.statusCode ?? 0, headers: response.headers, text: bytes.toString() };
    description?.expectDescribed(method, address, answer);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      bytes,
      text: bytes.toString(),
      json: () => JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>,
    };
  }

  return {
    url,
    port: Number(port),
    pid: child.pid ?? 0,
    folder,
    runbooksDir,
    stateDir: path.join(folder, '.local/state/runbook'),
    scratch,
    secret,
    said: () => text.stderr,
    log: () =>
      text.stdout
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
    token,
    write: (name, content) => {
      const file = path.join(runbooksDir, name);
      writeFileSync(file, content);
      return file;
    },
    request: ask,
    get: async (address, more) => await ask('GET', address, more),
    post: async (address, more) => await ask('POST', address, more),
    patch: async (address, more) => await ask('PATCH', address, more),
    open,
    execute: async (runbook, more) => {
      const answer = await ask('POST', `/api/runbooks/${runbook}/execute`, more);
      const events = readEvents(answer.text);
      return {
        ...answer,
        events,
        done: () =>
          JSON.parse(events.findLast(({ event }) => event === 'done')?.data ?? '') as Readonly<Record<string, unknown>>,
        output: (name) =>
          events
            .filter(({ event }) => event === name)
            .map(({ data }) => data)
            .join(''),
      };
    },
    kill: (signal) => {
      child.kill(signal);
    },
    stop,
    ended,
  };
}
