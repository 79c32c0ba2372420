/** Variables from the command line: `NAME=value`, `NAME=@file`, `NAME`, and files of `NAME=value` lines. */
import { isEnvironmentName } from '../core/environment-names.ts';
import { RunbookError } from '../core/errors.ts';
import type { Terminal } from './terminal.ts';
import { readTextFile } from './text-file.ts';

/** Larger than any value may be, so that the sentence about the value is said. */
const MAX_VALUE_FILE_BYTES = 512 * 1024;
const MAX_ENV_FILE_BYTES = 1024 ** 2;

export interface GivenVariables {
  readonly values: ReadonlyMap<string, string>;
  /** Names whose value stands in the arguments, for everybody to see. */
  readonly onCommandLine: ReadonlySet<string>;
  /** Names alone: taken from the environment, else asked for where that is possible. */
  readonly wanted: readonly string[];
}

export function readVariables(items: readonly string[], terminal: Pick<Terminal, 'cwd'>): GivenVariables {
  const values = new Map<string, string>();
  const onCommandLine = new Set<string>();
  const wanted: string[] = [];
  for (const item of items) {
    const equals = item.indexOf('=');
    const name = equals === -1 ? item : item.slice(0, equals);
    if (!isEnvironmentName(name))
      throw new RunbookError('usage', `Invalid environment variable name: ${JSON.stringify(name)}.`, {
        fix: 'Write --env NAME=value; a name has letters, digits and `_`.',
      });
    if (values.has(name) || wanted.includes(name))
      throw new RunbookError('usage', `--env ${name} is given twice.`, { fix: 'Give it once.' });
    if (equals === -1) {
      wanted.push(name);
    } else if (item[equals + 1] === '@') {
      values.set(name, readTextFile(item.slice(equals + 2), terminal.cwd, `--env ${name}`, MAX_VALUE_FILE_BYTES));
    } else {
      values.set(name, item.slice(equals + 1));
      onCommandLine.add(name);
    }
  }
  return { values, onCommandLine, wanted };
}

/** Later files win. Lines: `NAME=value`, empty, or `# comment`; one pair of quotes around a value is taken off. */
export function readEnvFiles(files: readonly string[], cwd: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const file of files) {
    const lines = readTextFile(file, cwd, '--env-file', MAX_ENV_FILE_BYTES).split(/\r?\n/);
    for (const [index, line] of lines.entries()) {
      if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
      const equals = line.indexOf('=');
      const name = line
        .slice(0, Math.max(equals, 0))
        .trim()
        .replace(/^export\s+/, '');
      if (equals === -1 || !isEnvironmentName(name)) {
        throw new RunbookError('usage', `${file}:${index + 1}: this is not a NAME=value line.`, {
          fix: 'Write one variable a line; begin a comment with #.',
        });
      }
      values.set(name, unquote(line.slice(equals + 1).trim()));
    }
  }
  return values;
}

function unquote(text: string): string {
  const quote = text[0];
  return text.length >= 2 && (quote === '"' || quote === "'") && text.endsWith(quote) ? text.slice(1, -1) : text;
}
