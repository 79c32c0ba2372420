/** What `--verbose` adds, on stderr: where everything is and comes from, and how long it took. Never the value of a secret. */
import type { App } from '../app.ts';
import { fileKey, SETTING_NAMES, SETTINGS } from '../core/settings.ts';
import type { ResolvedSettings } from '../core/settings.ts';
import { formatDuration } from '../core/units.ts';
import { inline } from './render.ts';

/** Folders, and every setting that somebody has made. */
export function* describeSurroundings(
  { runbooksDir, stateDir, settings }: Pick<App, 'runbooksDir' | 'stateDir' | 'settings'>,
  { origins }: ResolvedSettings,
): Generator<string> {
  yield `runbooks: ${inline(runbooksDir ?? 'none here')}`;
  yield `ledger: ${inline(stateDir)}`;
  for (const name of SETTING_NAMES) {
    const { origin = 'default', label = null, text = null } = origins.get(name) ?? {};
    if (origin === 'default') continue;
    const value = SETTINGS[name].secret ? '(secret)' : inline(text ?? shownDefault(settings[name]));
    yield `setting: ${fileKey(name)} = ${value} (${inline(label ?? origin)})`;
  }
}

/** Of a setting that the surroundings choose, as `CI` does. */
function shownDefault(value: unknown): string {
  return typeof value === 'number' ? formatDuration(value) : String(value);
}

/** As short as it is exact enough. */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : formatDuration(Math.round(ms / 1000) * 1000);
}
