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

function examineScript(
  { body, line: first }: Script,
  { env, steps }: Runbook,
  { seen, settings }: Surrounding,
  at: (line: number) => string,
): readonly Finding[] {
  const declared = new Set([...env.map(({ name }) => name), ...steps.flatMap(({ outputs }) => outputs)]);
  const told = new Set<string>();
  return body.split('\n').flatMap((text, index) => {
    const place = at(first + index);
    const names = [...text.matchAll(NAME)].map(([, braced, bare]) => braced ?? bare ?? '');
    const found = names.flatMap((name): readonly Finding[] => {
      if (told.has(name) || declared.has(name) || ALWAYS.has(name) || CONTRACT_NAMES.has(name)) return [];
      told.add(name);
      if (name === 'HOME')
        return [
          note(
            'variable',
            'HOME of a script is its work folder',
            'Give what lies in a home by a path of its own.',
            place,
          ),
        ];
      // What the script sets itself is its own.
      if (
        new RegExp(
          `(?:^|[\\s;&|(])(?:export\\s+|local\\s+|read\\s+(?:-\\w+\\s+)*|for\\s+)?${name}(?:=|\\s+in\\b|$)`,
          'm',
        ).test(body)
      )
        return [];
      if (settings.has(name))
        return [
          problem(
            'variable',
            `the script uses ${name}, which is a setting of the server and not for scripts`,
            'Declare a variable of another name, and set it.',
            place,
          ),
        ];
      if (!seen.has(name) && !OF_CONTAINER.has(name)) return [];
      return [
        problem(
          'variable',
          `the script uses ${name}, which it does not declare: it would not be set`,
          `Declare ${name} under # Environment Requirements.`,
          place,
        ),
      ];
    });
    return found;
  });
}

/** Stage0's name of the file that it ran. */
function ownFile({ body, line }: Script, at: (line: number) => string): readonly Finding[] {
  const index = body.split('\n').findIndex((text) => /\btemp\.zsh\b/.test(text));
  if (index === -1) return [];
  const text = 'the script names temp.zsh, which is not in its work folder here';
  return [problem('script', text, 'Use `$0`.', at(line + index))];
}
