/** Commands in the output of a job, read as the runner of GitHub Actions reads them (`ActionCommand.TryParseV2`, `TryParse`). */

export interface RunnerCommand {
  readonly command: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** Null: the line is text. */
export function readCommand(line: string): RunnerCommand | null {
  return readNew(line) ?? readOld(line);
}

/** `::name key=value,key=value::message`, blanks before it aside. */
function readNew(line: string): RunnerCommand | null {
  const text = line.trimStart();
  const end = text.indexOf('::', 2);
  if (!text.startsWith('::') || end === -1) return null;
  const inner = text.slice(2, end);
  const blank = inner.indexOf(' ');
  const name = blank === -1 ? inner : inner.slice(0, blank);
  const pairs =
    blank === -1
      ? []
      : inner
          .slice(blank + 1)
          .trim()
          .split(',');
  const message = unescaped(text.slice(end + 2));
  return name === '' ? null : { command: name, properties: propertiesOf(pairs, true), message };
}

/** `##[name key=value;key=value]message`, anywhere in the line. */
function readOld(line: string): RunnerCommand | null {
  const found = /##\[([^\] ]+)(?: ([^\]]*))?\](.*)$/.exec(line);
  if (found === null) return null;
  return {
    command: found[1] ?? '',
    properties: propertiesOf((found[2] ?? '').split(';'), false),
    message: found[3] ?? '',
  };
}

function propertiesOf(pairs: readonly string[], isNew: boolean): Record<string, string> {
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) return [];
      const value = pair.slice(equals + 1);
      return [[pair.slice(0, equals), isNew ? unescaped(value.replaceAll('%3A', ':').replaceAll('%2C', ',')) : value]];
    }),
  );
}

function unescaped(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
