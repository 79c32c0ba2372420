/** One settings file: YAML `name: value` lines, every problem with its line. */
import path from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { RunbookError } from '../core/errors.ts';
import { fileKey, SETTING_NAMES, SETTINGS } from '../core/settings.ts';
import type { SettingName } from '../core/settings.ts';
import { didYouMean } from '../core/spelling.ts';
import { absolute } from './places.ts';
import { readSecretFile } from './secret-file.ts';

/** @throws RunbookError `settings` with file and line */
export function parseSettingsFile(file: string, text: string): Map<SettingName, { text: string; label: string }> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true, lineCounter });
  const at = (offset: number): string => `${file}:${lineCounter.linePos(offset).line}`;
  const fail = (offset: number, message: string, fix: string): never => {
    throw new RunbookError('settings', `${at(offset)}: ${message}`, { fix });
  };
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) fail(problem.pos[0], problem.message.split('\n')[0] ?? '', 'Write `name: value` lines.');
  const values = new Map<SettingName, { text: string; label: string }>();
  if (document.contents === null) return values;
  if (!isMap(document.contents)) return fail(0, 'the file is not a mapping.', 'Write `name: value` lines.');
  for (const { key, value } of document.contents.items) {
    if (!isScalar(key)) return fail(0, 'a key is not a name.', 'Write `name: value` lines.');
    const offset = key.range?.[0] ?? 0;
    const name = SETTING_NAMES.find((candidate) => fileKey(candidate) === key.value);
    const secret = SETTING_NAMES.find(
      (candidate) => SETTINGS[candidate].secret && `${fileKey(candidate)}_file` === key.value,
    );
    if (name === undefined && secret !== undefined && isScalar(value)) {
      const label = `${at(offset)} ${fileKey(secret)}_file`;
      values.set(secret, { text: readSecretFile(path.resolve(path.dirname(file), String(value.value)), label), label });
      continue;
    }
    if (name === undefined) {
      return fail(
        offset,
        `${String(key.value)} is not a setting.`,
        didYouMean(String(key.value), SETTING_NAMES.map(fileKey)) ?? '`runbook config` shows all settings.',
      );
    }
    const items = isSeq(value) ? value.items : [value];
    const texts = items.flatMap((item) => (isScalar(item) && typeof item.value === 'string' ? [item.value] : []));
    if (texts.length !== items.length) {
      return fail(offset, `${fileKey(name)} needs a text or a list of texts.`, 'Write `name: value`.');
    }
    const written = absolute(name, texts.join(','), path.dirname(file));
    values.set(name, { text: written, label: `${at(offset)} ${fileKey(name)}` });
  }
  return values;
}
