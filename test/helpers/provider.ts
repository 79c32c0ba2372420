/** A real identity provider on this machine: its discovery document and its key set. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { json, startKeyServer } from './key-server.ts';
import type { KeyServer } from './key-server.ts';

type Answer = (response: ServerResponse) => void;

export interface Provider {
  /** `iss`, and where discovery begins. */
  readonly issuer: string;
  /** `host:port` */
  readonly host: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  keys: readonly unknown[];
  /** Members of the discovery document; `undefined` takes one out. */
  document: Record<string, unknown>;
  /** What is posted; 404 where nothing is said. */
  post: ((path: string, body: string) => Promise<{ readonly status: number; readonly answer: Answer } | null>) | null;
  /** Instead of all answers. */
  answer: ((response: ServerResponse, request: IncomingMessage) => void) | null;
  close(): Promise<void>;
}

export async function startProvider(keys: readonly unknown[] = []): Promise<Provider> {
  const server: KeyServer = await startKeyServer((response, request) => {
    const path = request.url ?? '';
    provider.asked.push(path);
    if (provider.answer !== null) provider.answer(response, request);
    else if (request.method === 'POST') void answerPost(path, response, request);
    else if (path === '/realm/.well-known/openid-configuration') json(provider.document)(response);
    else if (path === '/realm/keys') json({ keys: provider.keys })(response);
    else response.writeHead(404).end();
  });
  const { host } = new URL(server.url);
  const issuer = `http://${host}/realm`;
  const provider: Provider = {
    issuer,
    host,
    asked: [],
    keys,
    document: { issuer, jwks_uri: `${issuer}/keys` },
    post: null,
    answer: null,
    close: async () => await server.close(),
  };
  return provider;

  async function answerPost(path: string, response: ServerResponse, request: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const said = (await provider.post?.(path, Buffer.concat(chunks).toString())) ?? null;
    response.statusCode = said?.status ?? 404;
    if (said === null) response.end();
    else said.answer(response);
  }
}
