/**
 * One line at the bottom of a terminal that is taken away before anything else is written there. Only CR and “erase to the
 * end of the line” are used (ADR 45), so it is drawn only where the cursor stands at the beginning of a line.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from '../terminal.ts';

const ERASE = '\r\u{1B}[K';
/** Twice a second at most, and not at all for what is over at once. */
const TICK_MS = 500;
/** Of a terminal that does not say. */
const USUAL_COLUMNS = 80;

export interface LiveLine {
  /** To be used instead of the given one. */
  readonly terminal: Terminal;
  /** From now on; null: nothing. It is asked again and again, with the columns there are. */
  show(text: ((columns: number) => string) | null): void;
  close(): void;
}

/** Null where stderr is no terminal that can do this. */
export function createLiveLine(terminal: Terminal): LiveLine | null {
  const screen = terminal.stderr;
  if (!(screen instanceof WriteStream) || terminal.environment.get('TERM') === 'dumb') return null;
  const isSame = terminal.stdout instanceof WriteStream && isSameDevice(1, 2);
  const pen = openPen(2);
  let text: ((columns: number) => string) | null = null;
  let drawn = '';
  let isAtStart = true;

  const erase = (): void => {
    if (drawn !== '') screen.write(ERASE);
    drawn = '';
  };
  const draw = (): void => {
    const next =
      text === null || !isAtStart || !isInForeground() ? '' : text(screen.columns > 0 ? screen.columns : USUAL_COLUMNS);
    if (next === drawn) return;
    // A terminal that is held (Ctrl-S) takes nothing, and must not hold the run.
    const isWritten = pen.write(`\r${next}\u{1B}[K`);
    if (isWritten) drawn = next;
  };
  const onResize = (): void => {
    erase();
  };
  const written = (bytes: string | Uint8Array): void => {
    isAtStart = endsLine(bytes, isAtStart);
  };

  const timer = setInterval(draw, TICK_MS);
  timer.unref();
  screen.on('resize', onResize);
  const endSuspend = terminal.beforeSuspend(erase);
  return {
    terminal: {
      ...terminal,
      print: async (chunk) => {
        if (isSame) {
          erase();
          written(chunk);
        }
        await terminal.print(chunk);
      },
      pass: async (bytes) => {
        erase();
        written(bytes);
        await terminal.pass(bytes);
      },
      say: (line) => {
        erase();
        // What is said stands on a line of its own.
        terminal.say(isAtStart ? line : `\n${line}`);
        isAtStart = true;
      },
    },
    show: (next) => {
      text = next;
      if (next === null) erase();
    },
    close: () => {
      clearInterval(timer);
      screen.off('resize', onResize);
      endSuspend();
      text = null;
      erase();
      pen.close();
    },
  };
}

/** Colours that are set back behind the end of a line do not move the cursor. */
function endsLine(bytes: string | Uint8Array, before: boolean): boolean {
  if (bytes.length === 0) return before;
  const end = typeof bytes === 'string' ? bytes.slice(-64) : Buffer.from(bytes.subarray(-64)).toString('latin1');
  return end.endsWith('\n') || stripVTControlCharacters(end).endsWith('\n');
}

function isSameDevice(one: number, other: number): boolean {
  try {
    return fstatSync(one).rdev === fstatSync(other).rdev;
  } catch {
    return true;
  }
}

/** Writes to the terminal without waiting for it; through the stream itself where it cannot be opened again (after `su`). */
function openPen(fd: number): { readonly write: (text: string) => boolean; readonly close: () => void } {
  let own: number | null = null;
  try {
    own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // told above
  }
  return {
    write: (text) => {
      try {
        writeSync(own ?? fd, text);
        return true;
      } catch {
        return false;
      }
    },
    close: () => {
      if (own !== null) closeSync(own);
    },
  };
}

/** In the background (`bg`) the line belongs to the shell. True where that cannot be told. */
function isInForeground(): boolean {
  try {
    // proc(5), behind the name: state, parent, process group, session, terminal, foreground process group.
    const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(foreground) <= 0 || group === foreground;
  } catch {
    return true;
  }
}
