/** The log of a server as a person reads it. */
import { createStyle, inline } from './render.ts';

const LEVELS = {
  debug: ['debug', 'dim'],
  info: ['info', 'green'],
  warn: ['warn', 'yellow'],
  error: ['error', 'red'],
  fatal: ['fatal', 'red'],
} as const;

/** @param line one JSON object of the log  @returns `14:33:02.123 info  Request  method=GET route=/healthz status=200` */
export function readableLine(line: string, hasColor: boolean): string {
  const style = createStyle(hasColor);
  const fields = objectOf(line);
  if (fields === null) return line;
  const { time, level, msg, ...rest } = fields;
  const [name, color] = LEVELS[isLevel(level) ? level : 'info'];
  const facts = Object.entries(rest)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(
      ([key, value]) => `${style.dim(`${key}=`)}${inline(typeof value === 'string' ? value : JSON.stringify(value))}`,
    );
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const words = [style.dim(clock), style[color](name.padEnd(5)), inline(typeof msg === 'string' ? msg : ''), ...facts];
  return `${words.join(' ')}\n`;
}

function objectOf(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function isLevel(level: unknown): level is keyof typeof LEVELS {
  return typeof level === 'string' && Object.hasOwn(LEVELS, level);
}
