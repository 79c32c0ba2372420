/** Logs: one JSON object a line. Never a token, a header, a body or a value. */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Settings } from '../core/settings.ts';

/** Python's names, as `LOGGING_LEVEL` has them. */
const LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' } as const;

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
