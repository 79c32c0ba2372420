/** The process around a command: its streams, its signals, its environment. The CLI’s only door to them. */
import { statSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { RunbookError } from '../core/errors.ts';
import { codeOf, messageOf } from '../core/failures.ts';
import type { StopSignals } from '../core/ports.ts';
import type { StopReason } from '../core/run.ts';

export interface Terminal {
  readonly environment: ReadonlyMap<string, string>;
  readonly cwd: string;
  /** As it was typed: how the tool was called, and the words behind that. */
  readonly commandLine: { readonly program: readonly string[]; readonly words: readonly string[] };
  readonly ci: boolean;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Somebody can be asked: stdin and stderr are a terminal, and this is no pipeline. */
  readonly interactive: boolean;
  /** A person reads what is printed: stdout is a terminal. */
  readonly isReadByPerson: boolean;
  /** How wide and how high the terminal of stdout is; null where stdout is none, or it does not say. */
  readonly columns: number | null;
  readonly rows: number | null;
  /** Whether each of them takes colours. */
  readonly color: { readonly stdout: boolean; readonly stderr: boolean };
  /** Primary output. Resolves when it was taken; rejects when the reader is gone. */
  print(text: string | Uint8Array): Promise<void>;
  /** Output of a script that belongs on stderr; with backpressure, like `print`. */
  pass(bytes: Uint8Array): Promise<void>;
  /** Messages; never fails. */
  say(text: string): void;
  /** Runs `body` with what SIGINT, SIGTERM, SIGHUP and SIGQUIT mean: the first is a request, a second one wants it now. */
  withStopSignal<T>(body: (signals: StopSignals) => Promise<T>): Promise<T>;
  /** Ends the process although a reader has not taken everything; a second is enough for one that still reads. */
  leaveSoon(): void;
  /** On Ctrl-Z `before` is called, then the process stops, as it would have. @returns ends that */
  beforeSuspend(before: () => void): () => void;
  /** What Ctrl-C means while the terminal is in raw mode and sends no signal. */
  interrupt(): void;
}

const LEAVE_MS = 1000;

/** Set by the launcher of the archive: its path as it was called, with a slash in it. */
const LAUNCHER = 'RUNBOOK_LAUNCHER';

export function createTerminal(): Terminal {
  // For this process alone: scripts and what they start are called otherwise.
  const launcher = process.env[LAUNCHER] ?? null;
  Reflect.deleteProperty(process.env, LAUNCHER);
  const environment = new Map(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  const ci = isSet(environment.get('CI'));
  const { stdin, stdout, stderr } = process;
  // A reader that closes its end is an answer, not a crash: `print` rejects, and messages are simply not seen.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});
  neverThrowRawMode(stdin);
  return {
    environment,
    cwd: process.cwd(),
    commandLine: {
      program:
        launcher === null
          ? programOf(process.execPath, process.argv[1] ?? 'runbook')
          : [launchedAs(launcher, environment.get('PATH') ?? '')],
      words: process.argv.slice(2),
    },
    ci,
    stdin,
    stdout,
    stderr,
    interactive: stdin.isTTY && stderr.isTTY && !ci,
    isReadByPerson: stdout.isTTY,
    columns: sizeOf(stdout.columns),
    rows: sizeOf(stdout.rows),
    color: { stdout: wantsColor(environment, stdout.isTTY), stderr: wantsColor(environment, stderr.isTTY) },
    print: async (text) => {
      await write(stdout, text);
    },
    pass: async (bytes) => {
      await write(stderr, bytes);
    },
    say: (text) => {
      stderr.write(`${text}\n`);
    },
    withStopSignal,
    leaveSoon: () => {
      setTimeout(() => process.exit(), LEAVE_MS).unref();
    },
    beforeSuspend,
    interrupt: () => {
      process.emit('SIGINT');
    },
  };
}

/** Some terminals say that they have none. */
function sizeOf(count: number | undefined): number | null {
  return count === undefined || count < 1 ? null : count;
}

/** `runbook` where it was called by that name, else as in `node -- bin/runbook.js`. */
function programOf(node: string, script: string): readonly string[] {
  return script.endsWith('/runbook') ? ['runbook'] : [node, '--', script];
}

/** Its name where a shell finds it by that: who types a name in another folder means the first there is on the PATH. */
function launchedAs(launcher: string, searchPath: string): string {
  const name = path.basename(launcher);
  const first = searchPath
    .split(':')
    .map((folder) => path.join(folder, name))
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  return first !== undefined && path.isAbsolute(first) && first === path.normalize(launcher) ? name : launcher;
}

/** A terminal that is closed while it is asked refuses to be set back (EIO), from within an event that nobody can catch. */
function neverThrowRawMode(stdin: NodeJS.ReadStream): void {
  if (!stdin.isTTY) return;
  const setRawMode = stdin.setRawMode.bind(stdin);
  stdin.setRawMode = (mode) => {
    try {
      setRawMode(mode);
    } catch {
      // Nobody is there any more.
    }
    return stdin;
  };
}

/** Like `CI=true`: present, and neither empty nor a plain no. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

/** no-color.org: `NO_COLOR` wins over `FORCE_COLOR`; `TERM=dumb` and no terminal mean none. */
function wantsColor(environment: ReadonlyMap<string, string>, isTerminal: boolean): boolean {
  if ((environment.get('NO_COLOR') ?? '') !== '') return false;
  if (isSet(environment.get('FORCE_COLOR'))) return true;
  return isTerminal && environment.get('TERM') !== 'dumb';
}

/** The reader of stdout or stderr has closed its end (`| head`): an answer, not a failure of ours. */
export class ReaderGone extends Error {
  constructor() {
    super('Whoever read the output closed it, so the run was ended.');
    this.name = 'ReaderGone';
  }
}

function asOutputError(error: unknown): RunbookError {
  return new RunbookError('io', `The output could not be written: ${messageOf(error)}.`, {
    fix: 'Free some space where the output goes, or send it elsewhere.',
    cause: error,
  });
}

async function write(stream: Writable & { readonly fd: number }, chunk: string | Uint8Array): Promise<void> {
  // A terminal, a pipe or a socket. Node's stream for everything else takes a short write, as before a full disk, for a whole one.
  if (!(stream instanceof Socket)) {
    writeWhole(stream.fd, chunk);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(codeOf(error) === 'EPIPE' ? new ReaderGone() : asOutputError(error));
    });
  });
}

function writeWhole(fd: number, chunk: string | Uint8Array): void {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  } catch (error) {
    throw asOutputError(error);
  }
}

async function withStopSignal<T>(body: (signals: StopSignals) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const force = new AbortController();
  let first: string | null = null;
  const listeners = (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const).map((signal) => {
    const listener = (): void => {
      // `timeout(1)` and a terminal that closes may send two different ones in a row: only the same again is haste.
      if (stop.signal.aborted && first === signal) force.abort();
      first ??= signal;
      stop.abort({ signal } satisfies StopReason);
    };
    process.on(signal, listener);
    return [signal, listener] as const;
  });
  // The first would open Node's debugger, the second end this process and leave the script alone.
  const ignored = (['SIGUSR1', 'SIGUSR2'] as const).map((signal) => [signal, () => {}] as const);
  for (const [signal, listener] of ignored) process.on(signal, listener);
  try {
    return await body({ stop: stop.signal, force: force.signal });
  } finally {
    for (const [signal, listener] of [...listeners, ...ignored]) process.off(signal, listener);
  }
}

function beforeSuspend(before: () => void): () => void {
  let again: NodeJS.Timeout | undefined;
  const listen = (): void => {
    process.on('SIGTSTP', listener);
  };
  const listener = (): void => {
    before();
    process.off('SIGTSTP', listener);
    process.kill(process.pid, 'SIGTSTP');
    // Now it is stopped; this is due when it goes on.
    again = setTimeout(listen, AGAIN_MS);
    again.unref();
  };
  listen();
  return () => {
    clearTimeout(again);
    process.off('SIGTSTP', listener);
  };
}
const AGAIN_MS = 100;
