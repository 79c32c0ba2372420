/** `node scripts/settings-page.ts` writes the table of docs/settings.md anew, from the one table in the source. */
import { readFileSync, writeFileSync } from 'node:fs';
import { environmentName, fileKey, SERVER_DEFAULTS, SETTING_NAMES, SETTINGS } from '../src/core/settings.ts';
import type { SettingName, Settings } from '../src/core/settings.ts';
import { formatDuration, formatSize } from '../src/core/units.ts';

const PAGE = new URL('../docs/settings.md', import.meta.url);
const [BEGIN, END] = ['<!-- settings: begin -->', '<!-- settings: end -->'];

/** The page with its table as the source has it. @throws Error where the page has no place for one */
export function withTable(page: string): string {
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before === -1 || after < before) throw new Error(`docs/settings.md has no ${BEGIN} … ${END}`);
  const rows = SETTING_NAMES.map((name) => `| ${cellsOf(name).join(' | ')} |`);
  const head = ['| Setting | In the environment | Value | Default | Set by | |', '|---|---|---|---|---|---|'];
  return `${page.slice(0, before + BEGIN.length)}\n\n${[...head, ...rows].join('\n')}\n\n${page.slice(after)}`;
}

function cellsOf(name: SettingName): readonly string[] {
  const { type, scope, secret, aliases, serverAliases, description } = SETTINGS[name];
  const names = [environmentName(name), ...aliases, ...serverAliases.map((alias) => `${alias} (serve)`)];
  const shown = names.map((text) => text.replace(/^\w+/, '`$&`')).join(', ');
  const files = secret ? `; ${names.length > 1 ? 'each' : 'also'} with \`_FILE\`` : '';
  return [`\`${fileKey(name)}\``, `${shown}${files}`, type, defaultOf(name), scope, description].map((cell) =>
    cell.replaceAll('|', String.raw`\|`),
  );
}

function defaultOf(name: SettingName): string {
  const own = SERVER_DEFAULTS[name];
  const usual = formatted(name, SETTINGS[name].default);
  return own === undefined ? usual : `${usual}; serve: ${formatted(name, own)}`;
}

function formatted(name: SettingName, value: Settings[SettingName]): string {
  if (value === null || (typeof value === 'object' && value.length === 0)) return '–';
  const { type } = SETTINGS[name];
  if (typeof value === 'number' && /^(?:duration|age)/.test(type)) return `\`${formatDuration(value)}\``;
  if (typeof value === 'number' && type.startsWith('size')) return `\`${formatSize(value)}\``;
  return `\`${String(value)}\``;
}

if (import.meta.main) writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8')));
