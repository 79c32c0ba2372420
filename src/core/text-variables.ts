/** `$NAME` and `${NAME}` in a text: where a value is filled in, or a script takes one. */

const VARIABLE = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g;

/** Set by a shell or a system for every script: a runbook does not declare them. */
export const WELL_KNOWN = new Set(
  (
    'HOME PATH USER LOGNAME SHELL LANG PWD OLDPWD TERM TMPDIR TZ RANDOM SECONDS LINENO UID EUID PPID HOSTNAME OPTARG OPTIND REPLY ' +
    'BASH BASHPID BASH_SOURCE BASH_VERSION COLUMNS LINES EDITOR PAGER DISPLAY FUNCNAME PIPESTATUS KUBECONFIG'
  ).split(' '),
);

/** In their order, as often as they are there. */
export function namesInText(text: string): readonly string[] {
  return [...text.matchAll(VARIABLE)].map(([, braced, bare]) => braced ?? bare ?? '');
}

/** A name without a value stays as it is written. */
export function fillIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    VARIABLE,
    (whole, braced: string | undefined, bare: string | undefined) => values.get(braced ?? bare ?? '') ?? whole,
  );
}
