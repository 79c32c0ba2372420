import path from 'node:path';
import { SETTINGS } from '../core/settings.ts';
import type { SettingName } from '../core/settings.ts';

/** The text of a setting, made absolute where it is a place: relative to `folder`. An address stays as it is. */
export function absolute(name: SettingName, text: string, folder: string): string {
  return SETTINGS[name].isPath && !/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? path.resolve(folder, text) : text;
}
