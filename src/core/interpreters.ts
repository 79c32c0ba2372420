/**
 * The one table of interpreters. A new interpreter is one entry here (and its name in `InterpreterName`).
 * Options are chosen so that no personal start-up file is read and nothing falls back to another program.
 */
import type { InterpreterName, Runbook } from './runbook.ts';

export interface Interpreter {
  /** Info strings of fences that mean this interpreter, by kind of document. */
  readonly tags: Readonly<Record<Runbook['kind'], readonly string[]>>;
  /** Program names that a shebang may use. */
  readonly shebangNames: readonly string[];
  /** Where the program is: names looked up on `PATH`, or one absolute path. */
  readonly programs: readonly string[];
  /** Always passed, also with a shebang. */
  readonly baseOptions: readonly string[];
  /** Passed after `baseOptions` when there is no shebang, by kind of document. */
  readonly options: Readonly<Record<Runbook['kind'], readonly string[]>>;
  /** Option letters that a shebang may carry. */
  readonly shebangLetters: string;
  /** What to do where the program is missing, one sentence. */
  readonly install: string;
}

const INTERPRETERS: Readonly<Record<InterpreterName, Interpreter>> = {
  // POSIX shell. Without a terminal and without ENV, which nobody may set, it reads no file.
  sh: {
    tags: { classic: [], steps: ['sh'] },
    shebangNames: ['sh'],
    programs: ['/bin/sh'],
    baseOptions: [],
    options: { classic: [], steps: ['-eu'] },
    shebangLetters: 'aefuvxC',
    install: 'Install a POSIX shell at /bin/sh.',
  },
  // Without a terminal and without BASH_ENV, which nobody may set, it reads no file.
  bash: {
    tags: { classic: ['bash'], steps: ['bash'] },
    shebangNames: ['bash'],
    programs: ['bash'],
    baseOptions: [],
    options: { classic: [], steps: ['-euo', 'pipefail'] },
    shebangLetters: 'aefuvxC',
    install: 'Install bash, for example with `apt-get install bash` or `brew install bash`.',
  },
  // `sh` in a classic document is zsh, as in Stage0. `-f` leaves out ~/.zshenv and everything after it.
  zsh: {
    tags: { classic: ['sh', 'zsh'], steps: ['zsh'] },
    shebangNames: ['zsh'],
    programs: ['zsh'],
    baseOptions: ['-f'],
    options: { classic: [], steps: ['-euo', 'pipefail'] },
    shebangLetters: 'aefuvxC',
    install:
      'Install zsh, for example with `apt-get install zsh` or `brew install zsh`, or tag the fence `bash` if it is written for bash.',
  },
  // `-s`: no user site folder, so no usercustomize; `-u`: output is seen, and kept on a stop, as it is written.
  python: {
    tags: { classic: ['python'], steps: ['python'] },
    shebangNames: ['python', 'python3'],
    programs: ['python3', 'python'],
    baseOptions: ['-s', '-u'],
    options: { classic: [], steps: [] },
    shebangLetters: 'bBEIOPsSuv',
    install: 'Install Python 3, for example with `apt-get install python3` or `brew install python`.',
  },
};

export const INTERPRETER_NAMES: readonly InterpreterName[] = Object.keys(INTERPRETERS).filter(
  (name): name is InterpreterName => Object.hasOwn(INTERPRETERS, name),
);

export function interpreterOf(name: InterpreterName): Interpreter {
  return INTERPRETERS[name];
}

/** The interpreter that a fence's info string means in this kind of document; null where it means none. */
export function interpreterByTag(tag: string, kind: Runbook['kind']): InterpreterName | null {
  return INTERPRETER_NAMES.find((name) => INTERPRETERS[name].tags[kind].includes(tag)) ?? null;
}

const SHEBANG_FOLDERS = new Set(['/bin', '/usr/bin', '/usr/local/bin']);
/** Words that may follow an option group that ends in `o`. None of them brings start-up files back. */
const OPTION_WORDS = new Set(['errexit', 'nounset', 'pipefail', 'xtrace', 'noglob', 'noclobber']);
const BLANK = /[ \t]+/;

/**
 * What a shebang line (`#!…`) means: interpreter and all options. Null when it is not one of the allowed forms:
 * a known program in /bin, /usr/bin or /usr/local/bin with plain options, or `/usr/bin/env` and a known program.
 */
export function readShebang(
  line: string,
): { readonly interpreter: InterpreterName; readonly options: readonly string[] } | null {
  const words = line.slice(2).trim().split(BLANK);
  const first = words.shift() ?? '';
  const viaEnv = first === '/usr/bin/env';
  const slash = first.lastIndexOf('/');
  if (!viaEnv && !SHEBANG_FOLDERS.has(first.slice(0, slash))) return null;
  const program = viaEnv ? words.shift() : first.slice(slash + 1);
  const interpreter = INTERPRETER_NAMES.find((name) => INTERPRETERS[name].shebangNames.includes(program ?? ''));
  // `env` would take the program and its options for one name.
  if (interpreter === undefined || (viaEnv && words.length > 0)) return null;
  const { baseOptions, shebangLetters } = INTERPRETERS[interpreter];
  return arePlainOptions(words, shebangLetters, interpreter !== 'python')
    ? { interpreter, options: [...baseOptions, ...words] }
    : null;
}

function arePlainOptions(words: readonly string[], letters: string, isShell: boolean): boolean {
  let wordExpected = false;
  for (const word of words) {
    if (wordExpected) {
      if (!OPTION_WORDS.has(word)) return false;
      wordExpected = false;
      continue;
    }
    if (!word.startsWith('-') || word.length < 2) return false;
    wordExpected = isShell && word.endsWith('o');
    const group = word.slice(1, wordExpected ? -1 : undefined);
    if (Array.from(group).some((letter) => !letters.includes(letter))) return false;
  }
  return !wordExpected;
}
