/** Logs: one JSON object a line. Never a token, a header, a body or a value. */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Settings } from '../core/settings.ts';

/** JSON allows them as they are; terminals, and programs that read lines, take them for more than a character. */
const UNPRINTABLE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

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
    {
      write: (line) => {
        destination.write(line.replaceAll(UNPRINTABLE, escaped));
      },
    },
  );
}

/** Both halves, where it has two. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
