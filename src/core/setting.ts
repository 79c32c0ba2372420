/** What a setting is: one constructor for each type of value. */
import { parseAge, parseDuration, parseSize } from './units.ts';

/** The narrowest place that may set it: a file of the project only `project` ones; see `resolveSettings`. */
export type Scope = 'operator' | 'user' | 'project';

export interface Setting<T> {
  readonly type: string;
  readonly default: T;
  readonly scope: Scope;
  readonly secret: boolean;
  readonly description: string;
  /** Bare environment names that mean the same (Stage0's). */
  readonly aliases: readonly string[];
  /** The same, for names so common that only a server reads them (`API_PORT`). */
  readonly serverAliases: readonly string[];
  /** A place: where it is relative, it is so to the folder of the file that names it, else to the working folder. */
  readonly isPath: boolean;
  /** @returns undefined where the text is not of the type */
  readonly parse: (text: string) => T | undefined;
}
type Extra = {
  readonly scope: Scope;
  readonly description: string;
  readonly aliases?: readonly string[];
  readonly serverAliases?: readonly string[];
  readonly secret?: boolean;
  readonly isPath?: boolean;
};

export function define<T>(type: string, parse: (text: string) => T | undefined, initial: T, extra: Extra): Setting<T> {
  return { type, parse, default: initial, secret: false, aliases: [], serverAliases: [], isPath: false, ...extra };
}
export const text = (initial: string, extra: Extra): Setting<string> =>
  define('text', (value) => value, initial, extra);
export const optionalText = (type: string, extra: Extra): Setting<string | null> =>
  define<string | null>(type, (value) => value, null, extra);
export const place = (type: string, extra: Extra): Setting<string | null> =>
  optionalText(type, { ...extra, isPath: true });
export const integer = <T extends number | null>(initial: T, minimum: number, extra: Extra): Setting<number | T> =>
  define<number | T>(
    `integer ≥ ${minimum}`,
    (value) => (/^\d{1,9}$/.test(value) && Number(value) >= minimum ? Number(value) : undefined),
    initial,
    extra,
  );
export const duration = <T extends number | null>(initial: T, extra: Extra): Setting<number | T> =>
  define<number | T>('duration, like 90s, 10m or 1h30m', (value) => parseDuration(value) ?? undefined, initial, extra);
export const age = <T extends number | null>(initial: T, extra: Extra): Setting<number | T> =>
  define<number | T>('age, like 90d or 12h', (value) => parseAge(value) ?? undefined, initial, extra);
export const size = <T extends number | null>(initial: T, extra: Extra): Setting<number | T> =>
  define<number | T>('size, like 512KiB or 10MiB', (value) => parseSize(value) ?? parseBytes(value), initial, extra);
/** As `formatSize` prints what is no whole number of KiB. */
const parseBytes = (value: string): number | undefined =>
  /^[1-9]\d{0,11} B$/.test(value) ? Number(value.slice(0, -2)) : undefined;
export const flag = (initial: boolean, extra: Extra): Setting<boolean> =>
  define<boolean>('true or false', (value) => ({ true: true, false: false })[value.toLowerCase()], initial, extra);
export const list = (extra: Extra): Setting<readonly string[]> =>
  define<readonly string[]>(
    'list, separated by commas',
    (value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    [],
    extra,
  );
export function choice<const T extends string>(choices: readonly T[], initial: NoInfer<T>, extra: Extra): Setting<T> {
  return define<T>(`one of ${choices.join(', ')}`, (value) => choices.find((item) => item === value), initial, extra);
}
