/** A page in Debian's chromium, spoken to over its own debugging protocol: no library, no download. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';

export interface Page {
  /** What the browser complained about: console, exceptions, what a content security policy kept out. */
  readonly complaints: readonly string[];
  /** Addresses that were asked for. */
  readonly requests: readonly string[];
  goTo(url: string): Promise<void>;
  /** Value of an expression in the page, promises awaited. */
  ask(expression: string): Promise<unknown>;
  /** Asks until the value is true. */
  until(expression: string): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly exceptionDetails?: unknown;
    readonly type?: string;
    readonly args?: unknown;
    readonly entry?: { readonly text: string };
    readonly request?: { readonly url: string };
  };
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

/** Ends with the test. */
export async function openPage(): Promise<Page> {
  const profile = mkdtempSync(path.join(tmpdir(), 'runbook-browser-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const child = execa(
    'chromium',
    [...flags, `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'],
    { reject: false, stdin: 'ignore', stdout: 'ignore', env: { HOME: profile } },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  let socket: WebSocket | null = null;
  onTestFinished(async () => {
    socket?.close();
    child.kill('SIGTERM');
    const last = setTimeout(() => child.kill('SIGKILL'), 5000);
    await child;
    clearTimeout(last);
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  let port = '';
  for (let looks = 0; looks < 1500 && port === ''; looks += 1) {
    port = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1] ?? '';
    await delay(20);
  }
  if (port === '') throw new Error(`chromium did not start:\n${said}`);
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const wire = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
  socket = wire;
  await new Promise((resolve) => wire.addEventListener('open', resolve, { once: true }));

  const complaints: string[] = [];
  const requests: string[] = [];
  const waiting = new Map<number, (message: Message) => void>();
  let number = 0;
  wire.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    const { params = {} } = message;
    if (message.method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params.exceptionDetails));
    if (message.method === 'Runtime.consoleAPICalled' && params.type === 'error')
      complaints.push(JSON.stringify(params.args));
    if (message.method === 'Log.entryAdded') complaints.push(params.entry?.text ?? '');
    if (message.method === 'Network.requestWillBeSent') requests.push(params.request?.url ?? '');
  });
  const send = async (method: string, params: object = {}): Promise<Message> =>
    await new Promise((resolve) => {
      number += 1;
      waiting.set(number, resolve);
      wire.send(JSON.stringify({ id: number, method, params }));
    });
  for (const domain of ['Runtime', 'Log', 'Network', 'Page']) await send(`${domain}.enable`);
  const ask = async (expression: string): Promise<unknown> => {
    const { result } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    return result?.result?.value;
  };
  return {
    complaints,
    requests,
    goTo: async (url) => {
      await send('Page.navigate', { url });
    },
    ask,
    until: async (expression) => {
      for (let looks = 0; looks < 1500; looks += 1) {
        if ((await ask(expression)) === true) return;
        await delay(20);
      }
      throw new Error(`the page did not come to it: ${expression}\n${complaints.join('\n')}`);
    },
  };
}
