/** `runbook serve`: the HTTP face, from its settings to its last run. */
import path from 'node:path';
import { signalNumber } from '../../core/signals.ts';
import type { ResolvedSettings, SettingName } from '../../core/settings.ts';
import { startServer } from '../../server/start.ts';
import type { CommonOptions } from '../context.ts';
import { readableLine } from '../log-lines.ts';
import { keepYoungSmall } from '../memory.ts';
import { withServerSignals } from '../server-signals.ts';
import type { ServerSignals } from '../server-signals.ts';
import { announce, readyLine } from '../serve-start.ts';
import { loadSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

type RunningServer = Awaited<ReturnType<typeof startServer>>;

export interface ServeOptions extends CommonOptions {
  readonly port?: string;
  readonly host?: string;
  readonly executionDir?: string;
  readonly history?: string;
}

const FLAGS: Readonly<Record<string, SettingName>> = {
  runbooksDir: 'runbooksDir',
  stateDir: 'stateDir',
  executionDir: 'executionDir',
  history: 'history',
  port: 'apiPort',
  host: 'bind',
};

const [STDOUT, STDERR] = [1, 2];

export async function serveCommand(terminal: Terminal, options: ServeOptions): Promise<number> {
  const given = new Map<string, unknown>(Object.entries(options));
  const flags = new Map<SettingName, string>();
  for (const [option, name] of Object.entries(FLAGS)) {
    const value = given.get(option);
    if (typeof value === 'string') flags.set(name, value);
  }
  const { environment, cwd, ci } = terminal;
  const resolved = await loadSettings(flags, environment, cwd, 'server');
  // Requests are garbage at once; left to itself V8 takes 100 MiB more for it (measured), and is no faster.
  keepYoungSmall();
  let server: RunningServer | null = null;
  const reload = (): void => {
    void server?.reloadKeys();
  };
  return await withServerSignals(terminal.isReadByPerson ? null : reload, async (signals) => {
    server = await startServer(resolved, { environment, cwd, ci }, logOf(terminal, options), explorerFolder());
    if (options.json === true) terminal.stdout.write(readyLine(server));
    else if (options.quiet !== true) announce(terminal, options, server);
    const signal = await endOf(terminal, options, server, signals, resolved);
    await server.close();
    // Whoever holds one of our pipes, and does not read, holds up nothing.
    terminal.leaveSoon();
    return exitCodeOf(server, signal);
  });
}

function exitCodeOf({ hasStoppedRuns }: RunningServer, signal: string): number {
  return hasStoppedRuns ? 128 + signalNumber(signal) : 0;
}

/** For people where a person reads, else as it is; beside the one document of stdout, where that is asked for. */
function logOf(terminal: Terminal, { json }: ServeOptions): Parameters<typeof startServer>[2] {
  if (json === true) return STDERR;
  if (!terminal.isReadByPerson) return STDOUT;
  return {
    write: (line) => {
      terminal.stdout.write(readableLine(line, terminal.color.stdout));
    },
  };
}

/** Runs end by themselves, or by their own limits; whoever is in a hurry says so. @returns the signal that asked for the end */
async function endOf(
  terminal: Terminal,
  { json }: ServeOptions,
  server: RunningServer,
  signals: ServerSignals,
  { settings }: ResolvedSettings,
): Promise<string> {
  const signal = await aborted(signals.end);
  const left = server.activeRuns;
  // In the log it stands as well.
  if (left > 0 && json !== true)
    terminal.say(`stopping: no more runs are taken, and ${left} go on to their end (once more: they are ended)`);
  const stop = (message: string) => (): void => {
    server.stopRuns({ signal: signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM', message });
  };
  const hurry = stop('The server was ended, and did not wait for its runs.');
  const force = (): void => {
    hurry();
    server.forceRuns();
    // Also where something hangs.
    process.exitCode = exitCodeOf(server, signal);
    terminal.leaveSoon();
  };
  signals.hurry.addEventListener('abort', hurry, { once: true });
  signals.now.addEventListener('abort', force, { once: true });
  const { drainTimeout } = settings;
  const late = stop('The server was ended, and waited for its runs no longer than DRAIN_TIMEOUT_SECONDS.');
  const timer = drainTimeout === null ? undefined : setTimeout(late, drainTimeout);
  try {
    if (signals.hurry.aborted) hurry();
    if (signals.now.aborted) force();
    await server.drain();
  } finally {
    clearTimeout(timer);
  }
  return signal;
}

async function aborted(signal: AbortSignal): Promise<string> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  return String(signal.reason);
}

/** Beside the bundle; in the sources beside what the build has made. */
function explorerFolder(): string {
  const here = import.meta.dirname;
  return path.join(here.slice(0, Math.max(here.lastIndexOf('/dist'), here.lastIndexOf('/src'))), 'dist', 'explorer');
}
