/** Logs: one JSON object a line. Never a token, a header, a body or a value. */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Settings } from '../core/settings.ts';

/** Python's names, as `LOGGING_LEVEL` has them. */
const LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' } as const;

/** What waits for a reader that does not read; beyond that lines are lost. */
const MAX_WAITING_BYTES = 4 * 1024 ** 2;

export function createLog({ loggingLevel }: Pick<Settings, 'loggingLevel'>, destination: DestinationStream): Logger {
  return pino(
    {
      level: LEVELS[loggingLevel],
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      // Whatever is handed over as a request or an error: only what is named is written.
      serializers: {
        err: (error: Error) => ({ name: error.name, message: error.message, stack: error.stack }),
        req: () => undefined,
        res: () => undefined,
      },
    },
    destination,
  );
}

/**
 * Writes to a file descriptor without waiting for it: a reader that is gone, that does not read, or a disk that is full costs
 * lines of the log, and nothing else. What could not be written is tried again with the next line.
 */
export function logTo(fd: number): DestinationStream {
  const destination = pino.destination({ fd, sync: false, maxLength: MAX_WAITING_BYTES });
  destination.on('error', () => {});
  return destination;
}
