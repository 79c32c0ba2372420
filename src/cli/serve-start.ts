/** What `runbook serve` says when it is there. */
import type { App } from '../app.ts';
import { VERSION } from '../version.ts';
import { styleOf } from './context.ts';
import type { CommonOptions } from './context.ts';
import { inline } from './render.ts';
import type { Terminal } from './terminal.ts';

const WIDTH = 12;

/** What of a running server is told. */
interface StartedServer {
  readonly app: Pick<App, 'settings' | 'stateDir' | 'runbooksDir'>;
  readonly address: string;
  readonly warnings: readonly string[];
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

/** One block on stderr: where it is, what it works with, what to look at. */
export function announce(terminal: Terminal, options: CommonOptions, server: StartedServer): void {
  const style = styleOf(terminal, options);
  const { app, address, checks, warnings } = server;
  const { settings, stateDir } = app;
  const row = (name: string, text: string): void => {
    terminal.say(`  ${style.dim(name.padEnd(WIDTH))} ${text}`);
  };
  terminal.say(`${style.bold('runbook serve')} ${VERSION}`);
  row('address', address);
  row('pages', `${address}/docs/explorer.html`);
  for (const { name, ok, detail } of checks) {
    if (name === 'accepting') continue;
    const place = placeOf(name, { runbooks: app.runbooksDir, ledger: stateDir });
    row(name, place + (ok ? detail : style.red(detail)));
  }
  row('login', settings.enableLogin ? style.yellow('POST /dev-login gives a token to whoever asks') : 'off');
  for (const warning of warnings) row(style.yellow('warning'.padEnd(WIDTH)), style.yellow(warning));
}

function placeOf(name: string, places: Readonly<Record<string, string | null>>): string {
  const place = places[name] ?? null;
  return place === null ? '' : `${inline(place)}: `;
}

/** The same for machines, on one line, once the server takes requests: all that is ever on stdout then. */
export function readyLine({ app, address, ready, checks, warnings }: StartedServer): string {
  const line = {
    schemaVersion: 1,
    command: 'serve',
    address,
    pages: `${address}/docs/explorer.html`,
    pid: process.pid,
    version: VERSION,
    runbooksDir: app.runbooksDir,
    stateDir: app.stateDir,
    login: app.settings.enableLogin,
    ready,
    checks,
    warnings,
  };
  return `${JSON.stringify(line)}\n`;
}
