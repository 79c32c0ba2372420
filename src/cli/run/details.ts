/** `--verbose` of a run: where the token comes from, and how long each part took. */
import { performance } from 'node:perf_hooks';
import type { RunEvent } from '../../core/run.ts';
import { formatDuration } from '../../core/units.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { inline } from '../render.ts';
import type { Terminal } from '../terminal.ts';
import type { TokenOptions } from '../token-input.ts';

export interface Details {
  begin(): void;
  hear(event: RunEvent): void;
  end(): void;
}

export function createDetails(
  terminal: Terminal,
  { app, style }: CommandContext,
  options: CommonOptions & TokenOptions,
): Details {
  if (options.verbose !== true || options.quiet === true) return { begin: () => {}, hear: () => {}, end: () => {} };
  const say = (text: string): void => {
    terminal.say(style.dim(inline(text)));
  };
  let since = performance.now();
  const parts: string[] = [`before ${formatDuration(since)}`];
  const part = (name: string): void => {
    const now = performance.now();
    parts.push(`${name} ${formatDuration(now - since)}`);
    since = now;
  };
  return {
    begin: () => {
      say(`token: ${tokenSource(terminal, app.settings.token !== null, options)}`);
    },
    hear: ({ type }) => {
      if (type === 'queued') part('checks');
      if (type === 'started') part('preparation');
      if (type === 'ended') part('scripts');
      if (type === 'finished') part('record');
    },
    end: () => {
      say(`times: ${parts.join(', ')}`);
    },
  };
}

function tokenSource({ environment }: Terminal, isSet: boolean, { token, tokenFile }: TokenOptions): string {
  if (tokenFile !== undefined) return `the file ${tokenFile}`;
  if (token !== undefined) return token === '-' ? 'stdin' : token;
  if (isSet) return 'the setting token';
  return (environment.get('RUNBOOK_API_TOKEN') ?? '') === '' ? 'none' : 'the run around this one';
}
