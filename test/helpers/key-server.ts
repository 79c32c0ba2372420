/** A real HTTP server on this machine that answers for a key set as it is told to. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface KeyServer {
  readonly url: string;
  /** Requests so far. */
  readonly hits: () => number;
  answer: (response: ServerResponse, request: IncomingMessage) => void;
  /** Afterwards nobody listens there. */
  close(): Promise<void>;
}

export const json =
  (value: unknown) =>
  (response: ServerResponse): void => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };

export async function startKeyServer(answer: KeyServer['answer']): Promise<KeyServer> {
  let hits = 0;
  const server = createServer((request, response) => {
    hits++;
    keyServer.answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const keyServer: KeyServer = {
    url: `http://127.0.0.1:${address.port}/keys`,
    hits: () => hits,
    answer,
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return keyServer;
}
