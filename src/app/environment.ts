/** What of the environment reaches scripts, and how settings travel to the `runbook` that a script calls. */
import path from 'node:path';
import { JOB_IDENTITY_NAMES } from '../adapters/job-identity/names.ts';
import { environmentName, environmentNames, SETTING_NAMES, SETTINGS } from '../core/settings.ts';
import type { Face, ResolvedSettings, Settings } from '../core/settings.ts';

/** What scripts of a server find besides what they declare; `HOME` is their work folder. */
export function serverBase(
  { scriptPath }: Settings,
  environment: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([
    ['PATH', scriptPath],
    ['LANG', environment.get('LANG') ?? 'C.UTF-8'],
    ['TZ', environment.get('TZ') ?? 'UTC'],
  ]);
}

/** The address that scripts call other runbooks at. @param port that is listened on */
export function apiUrlOf({ publicUrl, apiProtocol, apiHost }: Settings, port: number): string {
  return publicUrl ?? `${apiProtocol}://${apiHost}:${port}/api/runbooks`;
}

/** The tool's own secrets never reach a script, whatever the runbook declares or the caller lets pass. */
export function withoutOwnSecrets(environment: ReadonlyMap<string, string>, face: Face): ReadonlyMap<string, string> {
  const own = new Set([
    ...SETTING_NAMES.filter((name) => SETTINGS[name].secret).flatMap((name) => environmentNames(name, face)),
    ...JOB_IDENTITY_NAMES,
  ]);
  return new Map([...environment].filter(([name]) => !own.has(name)));
}

/** What a job of a pipeline shows who it is with; masked in every run. */
export function jobSecrets(environment: ReadonlyMap<string, string>): readonly string[] {
  return JOB_IDENTITY_NAMES.flatMap((name) => environment.get(name) ?? []);
}

/**
 * What a script's own `runbook execute Child.md` must share: settings that did not come from files. Of a secret only the
 * path of the file that holds it.
 */
export function childSettings(
  { origins }: ResolvedSettings,
  environment: ReadonlyMap<string, string>,
  cwd: string,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of SETTING_NAMES) {
    const { origin, label, text } = origins.get(name) ?? { origin: 'default', label: null, text: null };
    if (text === null || (origin !== 'flag' && origin !== 'environment')) continue;
    if (!SETTINGS[name].secret) {
      values[environmentName(name)] = text;
    } else if (label?.endsWith('_FILE') === true) {
      values[`${environmentName(name)}_FILE`] = path.resolve(cwd, environment.get(label) ?? '');
    }
  }
  return values;
}
