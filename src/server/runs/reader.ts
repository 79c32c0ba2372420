/**
 * One reader of events. What it does not read waits here, up to a bound: behind that it is told that it lags and let go, and
 * comes back with the id of the last event that it has. So no reader slows a script, or another reader, or fills the memory.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { eventText } from './event-text.ts';

const MAX_BEHIND_BYTES = 1024 ** 2;
const KEEP_ALIVE_MS = 15_000;
/** So long what is kept may wait to be read on, and the last event. */
const PATIENCE_MS = 30_000;

export interface Reader {
  /** Aborted when nobody reads any more. */
  readonly gone: AbortSignal;
  /** @returns false where the reader is gone, maybe by this */
  tell(text: string | Buffer): boolean;
  /** Resolves when there is room for more, or nobody is there. */
  drained(): Promise<void>;
  readonly end: () => void;
}

/** Begins the answer. @param headers that every answer has */
export function createReader(raw: ServerResponse, headers: Readonly<Record<string, string>>): Reader {
  const gone = new AbortController();
  const keepAlive = setInterval(() => {
    tell(': keep-alive\n\n');
  }, KEEP_ALIVE_MS);
  const leave = (): void => {
    clearInterval(keepAlive);
    gone.abort();
  };
  raw.once('close', leave);
  raw.on('error', leave);
  raw.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();

  const end = (): void => {
    if (gone.signal.aborted) return;
    leave();
    raw.end();
    // Whoever reads nothing any more keeps neither memory nor the end of the server.
    const last = setTimeout(() => raw.destroy(), PATIENCE_MS);
    raw.once('close', () => {
      clearTimeout(last);
    });
  };
  const tell = (text: string | Buffer): boolean => {
    if (gone.signal.aborted) return false;
    if (raw.writableLength > MAX_BEHIND_BYTES) {
      raw.write(eventText('lagged', {}, null));
      end();
      return false;
    }
    raw.write(text);
    return true;
  };
  const drained = async (): Promise<void> => {
    if (!raw.writableNeedDrain) return;
    const patience = AbortSignal.any([gone.signal, AbortSignal.timeout(PATIENCE_MS)]);
    await once(raw, 'drain', { signal: patience }).catch(end);
  };
  return { gone: gone.signal, tell, drained, end };
}
