/** Names of environment variables: their form, and the names that nobody, or no stranger, may set for a script. */
import { LOCAL_NAMES } from './foreign-names.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Names that make a loader, a shell, a language runtime or git run code or read files before the script's first line,
 * and the names that the tool sets itself. A name that ends in `*` stands for all names that begin so.
 */
export const DENIED_NAMES: readonly string[] = [
  'RUNBOOK_*',
  // dynamic loader and C library
  'LD_*',
  'DYLD_*',
  'GLIBC_TUNABLES',
  'GCONV_PATH',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
  'OPENSSL_ENGINES',
  // shells
  'BASH_ENV',
  'ENV',
  'BASH_FUNC_*',
  'SHELLOPTS',
  'BASHOPTS',
  'PS4',
  'PROMPT4',
  'NULLCMD',
  'READNULLCMD',
  'MODULE_PATH',
  'IFS',
  'ZDOTDIR',
  'FPATH',
  // language runtimes
  'NODE_OPTIONS',
  'NODE_PATH',
  'PYTHONPATH',
  'PYTHONHOME',
  'PYTHONSTARTUP',
  'PYTHONUSERBASE',
  'PYTHONWARNINGS',
  'PYTHONINSPECT',
  'PYTHONBREAKPOINT',
  'PYTHONEXECUTABLE',
  'PYTHONPLATLIBDIR',
  'PERL5*',
  'PERLLIB',
  'RUBYOPT',
  'RUBYLIB',
  'JAVA_TOOL_OPTIONS',
  'JDK_JAVA_OPTIONS',
  '_JAVA_OPTIONS',
  // git
  'GIT_SSH*',
  'GIT_EXEC_PATH',
  'GIT_CONFIG*',
];

const isDenied = matcher(DENIED_NAMES);
const isLocal = matcher(LOCAL_NAMES);

function matcher(names: readonly string[]): (name: string) => boolean {
  const exact = new Set(names.filter((name) => !name.includes('*')));
  const beginnings = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  const ends = names.filter((name) => name.startsWith('*')).map((name) => name.slice(1));
  return (name) =>
    exact.has(name) || beginnings.some((part) => name.startsWith(part)) || ends.some((part) => name.endsWith(part));
}

/** Whether `name` has the form of a portable environment name: ASCII letters, digits and `_`, no digit first. */
export function isEnvironmentName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Whether nobody (runbook, caller, step output) may set this variable. Names are case-sensitive, as the system's are.
 * A name with `%%` or `()` at its end, as bash exports functions, begins with `BASH_FUNC_` and is denied with it.
 */
export function deniedFromAnybody(name: string): boolean {
  return isDenied(name);
}

/**
 * Whether a caller over HTTP may not send this variable: it may only come from the local user. What a caller sends would
 * otherwise choose the programs, the keys, the repository or the way through the network of the scripts that see it.
 */
export function deniedFromOthers(name: string): boolean {
  return isDenied(name) || isLocal(name);
}

/**
 * Whether a step may not pass it on: what its script wrote down may be what it was told by somebody. Fewer than callers may not
 * send, since the author of the document names what is passed on.
 */
export function deniedFromSteps(name: string): boolean {
  return isDenied(name) || name === 'PATH' || name === 'HOME' || OF_THE_USER.test(name);
}
const OF_THE_USER = /^(?:SSH|GIT)_|_(?:PROXY|proxy)$/;
