/** Of a Stage0 deployment: its runbooks, as they are understood here, and what their scripts would find another way. */
import { deniedFromAnybody, deniedFromOthers } from '../../../core/environment-names.ts';
import { CONTRACT_NAMES } from '../../../core/contract.ts';
import type { Runbook, Script } from '../../../core/runbook.ts';
import { scriptsOf } from '../../../core/readiness.ts';
import type { DocumentView } from '../../../engine/queries.ts';
import { note, ok, problem } from '../finding.ts';
import type { Finding } from '../finding.ts';

export interface Surrounding {
  /** Variables of the service that Stage0's scripts saw without being declared. */
  readonly seen: ReadonlySet<string>;
  /** Settings of the server, which no script sees. */
  readonly settings: ReadonlySet<string>;
}

/** Every shell sets these, or a server's script finds them. */
const ALWAYS = new Set(['PATH', 'LANG', 'TZ', 'PWD', 'OLDPWD', 'SHLVL', 'IFS']);
/** Of a container's environment, whatever compose says. */
const OF_CONTAINER = new Set(['USER', 'LOGNAME', 'SHELL', 'HOSTNAME']);

export function examineRunbooks(views: readonly DocumentView[], surrounding: Surrounding): readonly Finding[] {
  const found = views.flatMap((view) => examineOne(view, surrounding));
  const valid = views.filter(({ parsed }) => parsed?.runbook !== null && parsed !== null).length;
  if (views.length === 0)
    return [note('runbooks', 'no document is in their folder', 'Name the folder that the server is to serve.')];
  return [ok('runbooks', `${valid} of ${views.length} documents are valid runbooks`), ...found];
}

function examineOne(
  { displayPath, parsed, problem: unreadable }: DocumentView,
  surrounding: Surrounding,
): readonly Finding[] {
  const at = (line: number): string => `${displayPath}:${line}`;
  if (parsed === null) return [problem('runbook', unreadable ?? 'it cannot be read', 'Make it readable.', at(1))];
  if (parsed.sections.size === 0)
    return [note('runbook', 'it is no runbook, and is not served any more', 'Leave it, or move it elsewhere.', at(1))];
  const { runbook } = parsed;
  if (runbook === null)
    return parsed.problems
      .filter(({ severity }) => severity === 'error')
      .map(({ message, rule, fix, line }) => problem('runbook', `${message} (${rule})`, fix, at(line)));
  return [
    ...runbook.env
      .filter(({ name }) => deniedFromOthers(name) && !deniedFromAnybody(name))
      .map(({ name, line }) =>
        problem(
          'variable',
          `callers may not set ${name} over HTTP`,
          `Set RUNBOOK_OPEN_ENV=${name}, or call it something else.`,
          at(line),
        ),
      ),
    ...inputs(runbook, at),
    ...scriptsOf(runbook).flatMap((script) => examineScript(script, runbook, surrounding, at)),
    ...scriptsOf(runbook).flatMap((script) => ownFile(script, at)),
  ];
}

/** D28: what was copied flat keeps its folders. */
function inputs(runbook: Runbook, at: (line: number) => string): readonly Finding[] {
  return runbook.files
    .filter(({ direction, path }) => direction === 'input' && path.replace(/\/$/, '').includes('/'))
    .map(({ path, line }) =>
      note(
        'input',
        `${path} is copied with its folders, where Stage0 had ${path.split('/').at(-1) ?? ''} at the top`,
        `Let the script use ${path}.`,
        at(line),
      ),
    );
}

const NAME = /\$(?:\{([A-Za-z_]\w*)|([A-Za-z_]\w*))/g;

/** Each name once, where it is used first. */
function examineScript(
  { body, line: first }: Script,
  { env, steps }: Runbook,
  surrounding: Surrounding,
  at: (line: number) => string,
): readonly Finding[] {
  const known = new Set([...ALWAYS, ...CONTRACT_NAMES, ...env.map(({ name }) => name)]);
  for (const name of [...steps.flatMap(({ outputs }) => outputs), ...setBy(body)]) known.add(name);
  const found: Finding[] = [];
  for (const [index, text] of body.split('\n').entries()) {
    for (const [, braced, bare] of text.matchAll(NAME)) {
      const name = braced ?? bare ?? '';
      if (known.has(name)) continue;
      known.add(name);
      const finding = judgeName(name, surrounding, at(first + index));
      if (finding !== null) found.push(finding);
    }
  }
  return found;
}

/** Names that a script sets itself: by assignment, `for`, `read` or `local`. */
function setBy(body: string): readonly string[] {
  const assigned = [...body.matchAll(/(?:^|[\s;&|(])([A-Za-z_]\w*)=/gm)];
  const taken = [...body.matchAll(/\b(?:for|read|local|typeset)((?: +-?\w+)+)/g)];
  return [...assigned.map(([, name]) => name ?? ''), ...taken.flatMap(([, names]) => (names ?? '').trim().split(/ +/))];
}

function judgeName(name: string, { seen, settings }: Surrounding, place: string): Finding | null {
  if (name === 'HOME') {
    const fix = 'Give what lies in a home by a path of its own.';
    return note('variable', 'HOME of a script is its work folder', fix, place);
  }
  if (settings.has(name)) {
    const text = `the script uses ${name}, which is a setting of the server and not for scripts`;
    return problem('variable', text, 'Declare a variable of another name, and set it.', place);
  }
  // Anything else was not set by Stage0 either.
  if (!seen.has(name) && !OF_CONTAINER.has(name)) return null;
  const text = `the script uses ${name}, which it does not declare: it would not be set`;
  return problem('variable', text, `Declare ${name} under # Environment Requirements.`, place);
}

/** Stage0's name of the file that it ran. */
function ownFile({ body, line }: Script, at: (line: number) => string): readonly Finding[] {
  const index = body.split('\n').findIndex((text) => /\btemp\.zsh\b/.test(text));
  if (index === -1) return [];
  const text = 'the script names temp.zsh, which is not in its work folder here';
  return [problem('script', text, 'Use `$0`.', at(line + index))];
}
