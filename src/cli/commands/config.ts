/** `runbook config`: every setting with its value and its origin. Secrets are never shown. */
import { environmentName, fileKey, SETTING_NAMES, SETTINGS } from '../../core/settings.ts';
import type { SettingName } from '../../core/settings.ts';
import { formatDuration, formatSize } from '../../core/units.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { inline, renderTable } from '../render.ts';
import type { Terminal } from '../terminal.ts';

export async function configCommand(terminal: Terminal, options: CommonOptions): Promise<number> {
  return await withApp(terminal, options, async ({ resolved }) => {
    const rows = SETTING_NAMES.map((name) => {
      const setting = SETTINGS[name];
      const { origin, label } = resolved.origins.get(name) ?? { origin: 'default', label: null };
      return {
        name: fileKey(name),
        value: shown(name, resolved.settings[name]),
        origin,
        from: label,
        secret: setting.secret,
        type: setting.type,
        scope: setting.scope,
        environment: environmentName(name),
        aliases: setting.aliases,
        description: setting.description,
      };
    });
    if (options.json === true) {
      await printJson(terminal, 'config', { settings: rows });
      return 0;
    }
    const table = rows.map((row) => [row.name, inline(withUnit(row)), row.from ?? row.origin, row.environment]);
    await terminal.print(`${renderTable([['SETTING', 'VALUE', 'FROM', 'VARIABLE'], ...table])}\n`);
    return 0;
  });
}

/** As it would be written. */
function withUnit({ type, value }: { readonly type: string; readonly value: string | number | null }): string {
  if (typeof value !== 'number') return value ?? '–';
  if (type.startsWith('age')) return formatDuration(value);
  return type.startsWith('size') ? formatSize(value) : String(value);
}

function shown(name: SettingName, value: unknown): string | number | null {
  if (value === null) return null;
  if (SETTINGS[name].secret) return '(secret)';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'number') return SETTINGS[name].type.startsWith('duration') ? formatDuration(value) : value;
  return typeof value === 'string' ? value : null;
}
