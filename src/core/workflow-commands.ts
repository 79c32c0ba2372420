/** What a runner of GitHub Actions reads in the output of a job, and what must not be read as such. */

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  /** Relative to the workspace, with `/`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly title: string;
  /** May have several lines. */
  readonly message: string;
}

/** `::error file=a.md,line=1,col=1,title=…::message`: one line, without its end. */
export function annotationLine({ level, file, line, column, title, message }: Annotation): string {
  return commandLine(level, { file, line: String(line), col: String(column), title }, message);
}

/** `::name key=value,key=value::message`: one line, without its end. */
export function commandLine(name: string, properties: Readonly<Record<string, string>>, message: string): string {
  const pairs = Object.entries(properties).map(([key, value]) => `${key}=${escapedProperty(value)}`);
  return `::${name}${pairs.length === 0 ? '' : ` ${pairs.join(',')}`}::${escapedMessage(message)}`;
}

/** As the runner takes it back: `%25`, `%0D`, `%0A`. */
function escapedMessage(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escapedMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * A line that holds text of strangers, so that the runner reads no command in it: the old form `##[name]` counts anywhere
 * in a line, `::name::` at its beginning.
 */
export function withoutCommands(line: string): string {
  const plain = line.replaceAll('##[', '# #[');
  return /^\s*::/.test(plain) ? `./${plain.trimStart()}` : plain;
}
