/** `runbook serve`: the HTTP face, from its settings to its last run. */
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import type { SettingName } from '../../core/settings.ts';
import { startServer } from '../../server/start.ts';
import { styleOf } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import type { Style } from '../render.ts';
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

export async function serveCommand(terminal: Terminal, options: ServeOptions): Promise<number> {
  const given = new Map<string, unknown>(Object.entries(options));
  const flags = new Map<SettingName, string>();
  for (const [option, name] of Object.entries(FLAGS)) {
    const value = given.get(option);
    if (typeof value === 'string') flags.set(name, value);
  }
  const { environment, cwd, ci } = terminal;
  const resolved = await loadSettings(flags, environment, cwd, 'server');
  return await terminal.withStopSignal(async ({ stop, force }) => {
    const server = await startServer(resolved, { environment, cwd, ci }, terminal.stdout, explorerFolder());
    if (options.quiet !== true) announce(terminal, styleOf(terminal, options), server);
    await aborted(stop);
    terminal.say(`stopping: no more runs are taken; ${server.activeRuns} go on (once more: they are ended)`);
    await end(server, force, resolved.settings.drainTimeout);
    await server.close();
    return 0;
  });
}

/** Runs end by themselves, or by their own limits; whoever is in a hurry says so. */
async function end(server: RunningServer, force: AbortSignal, timeoutMs: number | null): Promise<void> {
  const hurry = (): void => {
    server.stopRuns({ signal: 'SIGTERM', message: 'The server was ended.' });
  };
  force.addEventListener('abort', hurry, { once: true });
  const timer = timeoutMs === null ? undefined : setTimeout(hurry, timeoutMs);
  try {
    if (force.aborted) hurry();
    await server.drain();
  } finally {
    clearTimeout(timer);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Beside the bundle; in the sources beside what the build has made. */
function explorerFolder(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return path.join(here.slice(0, Math.max(here.lastIndexOf('/dist'), here.lastIndexOf('/src'))), 'dist', 'explorer');
}

function announce(terminal: Terminal, style: Style, { app, address, checks, warnings }: RunningServer): void {
  const rows = [
    ['address', address],
    ['pages', `${address}/docs/explorer.html`],
    ['runbooks', app.runbooksDir ?? 'no folder; set RUNBOOKS_DIR'],
    ['ledger', app.stateDir],
    ...checks.map(({ name, ok, detail }) => [name, ok ? detail : style.red(detail)]),
  ];
  terminal.say(style.bold('runbook serve'));
  for (const [name = '', text = ''] of rows) terminal.say(`  ${name.padEnd(12)} ${text}`);
  for (const warning of warnings) terminal.say(style.yellow(`  warning      ${warning}`));
}
