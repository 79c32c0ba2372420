/** What `--verbose` adds, on stderr: where everything is and comes from, and how long it took. Never the value of a secret. */
import type { App } from '../app.ts';
import { fileKey, SETTING_NAMES, SETTINGS } from '../core/settings.ts';
import type { ResolvedSettings } from '../core/settings.ts';
import type { RunLedger } from '../core/ports.ts';
import type { RunResult } from '../core/run.ts';
import { formatDuration } from '../core/units.ts';
import { inline } from './render.ts';

/** Folders, and every setting that somebody has made. */
export function* describeSurroundings(
  { runbooksDir, stateDir }: Pick<App, 'runbooksDir' | 'stateDir'>,
  { settings, origins }: ResolvedSettings,
): Generator<string> {
  yield `runbooks: ${inline(runbooksDir ?? 'none here')}`;
  yield `ledger: ${inline(stateDir)}`;
  for (const name of SETTING_NAMES) {
    const { origin = 'default', label = null, text = null } = origins.get(name) ?? {};
    if (origin === 'default') continue;
    const value = SETTINGS[name].secret ? '(secret)' : inline(text ?? shown(settings[name]));
    yield `setting: ${fileKey(name)} = ${value} (${inline(label ?? origin)})`;
  }
}

/** Of what nobody wrote: the default of a pipeline. */
function shown(value: unknown): string {
  return typeof value === 'number' ? formatDuration(value) : String(value);
}

/** How a run was held together, and how long its parts took. */
export async function* describeRun(ledger: Pick<RunLedger, 'get'>, result: RunResult): AsyncGenerator<string> {
  const containment = (await ledger.get(result.runId))?.containment ?? null;
  if (containment !== null) {
    const { rung, reaper, cgroups, refused } = containment;
    const by = [reaper === null ? '' : ` by ${reaper}`, cgroups.length === 0 ? '' : ` in ${cgroups.join(' and ')}`];
    yield `containment: ${inline(rung + by.join(''))}, ${result.containment.claim}`;
    for (const reason of refused) yield `containment: no higher rung: ${inline(reason)}`;
  }
  for (const { name, outcome, durationMs } of result.steps)
    if (outcome !== 'skipped') yield `time: ${inline(name)} ${formatMs(durationMs)}`;
}

/** As short as it is exact enough. */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : formatDuration(Math.round(ms / 1000) * 1000);
}
