/** What commands share: their common options, the app made from them, and how they print. */
import type { App } from '../app.ts';
import type { LedgerUse } from '../app/opened-ledger.ts';
import { RunbookError } from '../core/errors.ts';
import type { ResolvedSettings, SettingName } from '../core/settings.ts';
import { escaped, LongText, printLong } from './output.ts';
import { createStyle } from './render.ts';
import type { Style } from './render.ts';
import type { Terminal } from './terminal.ts';

/** What every command takes; a command's own options extend it, with the names that commander makes of the flags. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
  readonly runbooksDir?: string;
  readonly stateDir?: string;
}

/** Flags that are settings. */
type SettingFlags = CommonOptions & {
  readonly executionDir?: string;
  readonly history?: string;
  readonly keepWorkdir?: string;
  readonly reportTo?: string;
};

export interface CommandContext {
  readonly app: App;
  readonly resolved: ResolvedSettings;
  /** For messages, on stderr. */
  readonly style: Style;
  /** For what is printed, on stdout. */
  readonly printStyle: Style;
}

/** Opens the app for one command and closes it after. `ledgerUse`: where that is not `run`. */
export async function withApp<T>(
  terminal: Terminal,
  options: SettingFlags,
  body: (context: CommandContext) => Promise<T>,
  { ledgerUse = 'run' }: { readonly ledgerUse?: LedgerUse } = {},
): Promise<T> {
  // What needs neither settings nor adapters, as a message about a wrong word does, does not wait for them.
  const [{ createApp }, { loadSettings }, { fileKey }] = await Promise.all([
    import('../app.ts'),
    import('./settings.ts'),
    import('../core/settings.ts'),
  ]);
  const flags = new Map<SettingName, string>();
  for (const name of ['runbooksDir', 'stateDir', 'executionDir', 'history', 'keepWorkdir', 'reportTo'] as const) {
    const value = options[name];
    if (value === '') {
      throw new RunbookError('usage', `--${fileKey(name).replaceAll('_', '-')} is empty.`, {
        fix: 'Give a value, or leave it out; a variable of your shell may be unset.',
      });
    }
    if (value !== undefined) flags.set(name, value);
  }
  const { environment, cwd, ci } = terminal;
  const resolved = await loadSettings(flags, environment, cwd, 'cli', ci);
  const app = await createApp(resolved, { environment, cwd, ci, ledgerUse });
  try {
    const printStyle = createStyle(terminal.color.stdout && options.color !== false);
    const style = styleOf(terminal, options);
    const told = await tellMore(terminal, options, style, app, resolved);
    const result = await body({ app, resolved, style, printStyle });
    told();
    return result;
  } finally {
    app.close();
  }
}

/** `--verbose`. @returns what is to be called at the end */
async function tellMore(
  terminal: Terminal,
  { verbose, quiet }: CommonOptions,
  style: Style,
  app: App,
  resolved: ResolvedSettings,
): Promise<() => void> {
  if (verbose !== true || quiet === true) return () => {};
  const { describeSurroundings, formatMs } = await import('./verbose.ts');
  for (const line of describeSurroundings(app, resolved)) terminal.say(style.dim(line));
  const began = app.clock.monotonicMs();
  return () => {
    terminal.say(style.dim(`time: ${formatMs(app.clock.monotonicMs() - began)} in all`));
  };
}

/** How messages look. */
export function styleOf(terminal: Terminal, options: CommonOptions): Style {
  return createStyle(terminal.color.stderr && options.color !== false);
}

/**
 * One document on stdout. `schemaVersion` changes when a field is removed or changes its meaning. A text that may be long
 * is given as a `LongText` and read while it is written, so that memory does not follow its length.
 */
export async function printJson(
  terminal: Terminal,
  command: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  await printLong(terminal, jsonPieces(command, fields));
}

/** The same document in pieces. */
export async function* jsonPieces(command: string, fields: Readonly<Record<string, unknown>>): AsyncGenerator<string> {
  const { randomUUID } = await import('node:crypto');
  // What nobody can have written stands for a long text until its place is reached.
  const mark = randomUUID();
  const texts: LongText[] = [];
  const json = JSON.stringify(
    { schemaVersion: 1, command, ...fields },
    (_, value: unknown) => (value instanceof LongText ? `${mark}${texts.push(value) - 1}${mark}` : value),
    2,
  );
  for (const [index, part] of `${json}\n`.split(mark).entries()) {
    const text = index % 2 === 1 ? texts[Number(part)] : undefined;
    if (text === undefined) yield part;
    else yield* escaped(text.pieces());
  }
}
