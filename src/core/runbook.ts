/**
 * The domain: what a runbook *is*, once its markdown has been understood.
 * Plain readonly data; `parse/` makes it, `engine/` carries it out. Durations end in `Ms`, sizes in `Bytes`,
 * lines and columns count from 1.
 */

export type Severity = 'error' | 'warning';

/** Something wrong with a document or with the facts around it. `rule` is an id of RUNBOOK_FORMAT.md. */
export interface Problem {
  readonly severity: Severity;
  readonly rule: string;
  /** What is wrong, one sentence. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly fix: string;
  readonly line: number;
  readonly column: number;
  /** What it is about, as it is written: the section that is missing, the variable, the path. For faces with words of their own. */
  readonly about?: string;
  /** A mechanical repair: its result is certain, and what the document means stays. Never of claims, scripts or the history. */
  readonly edit?: Edit;
}

/** The text from line and column up to, not including, end line and end column is replaced. Columns count UTF-16 units. */
export interface Edit {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** Lines end in `\n`, whatever the document uses. */
  readonly text: string;
}

export type InterpreterName = 'sh' | 'bash' | 'zsh' | 'python';

/** The text of one fence and how it is to be run. */
export interface Script {
  readonly interpreter: InterpreterName;
  /** Options for the interpreter, e.g. `['-euo', 'pipefail']`: from the shebang, else from the kind of document. */
  readonly options: readonly string[];
  readonly body: string;
  /** Line of the first line of `body` in the document. */
  readonly line: number;
}

export type VariableType = 'text' | 'integer' | 'boolean' | 'duration';

/** One variable that the runbook declares under `# Environment Requirements`. */
export interface EnvRequirement {
  readonly name: string;
  readonly description: string;
  /** `false`: Stage0's short form `NAME: description`; only mapping-form values are recorded in clear. */
  readonly typed: boolean;
  readonly type: VariableType;
  readonly choices?: readonly string[];
  /** Source of a regular expression (no flags but `u`) that the whole value must match. */
  readonly pattern?: string;
  readonly default?: string;
  /** Declared `secret`, or, where nothing is declared, a name that looks like one (`looksSecret`). */
  readonly secret: boolean;
  /** Length in characters of a secret that is made for each run. */
  readonly generate?: number;
  readonly line: number;
}

export interface FileRequirement {
  readonly direction: 'input' | 'output';
  readonly path: string;
  readonly line: number;
}

/** One claim of an alternative: any of the values will do. */
export interface ClaimRequirement {
  readonly claim: string;
  readonly anyOf: readonly string[];
}
/** All claims of an alternative must match; any alternative of a list will do. */
export type ClaimAlternative = readonly ClaimRequirement[];

export interface Limits {
  readonly timeoutMs?: number;
  readonly maxOutputBytes?: number;
  /** Runs of this runbook at once. */
  readonly concurrency?: number;
  readonly memoryBytes?: number;
  readonly processes?: number;
}

export interface Metadata {
  readonly owner?: string;
  readonly service?: string;
  readonly tags: readonly string[];
  readonly severity?: string;
  readonly alerts: readonly string[];
  /** `YYYY-MM-DD` */
  readonly reviewBy?: string;
  readonly links: readonly string[];
  readonly format?: number;
}

export interface Step {
  readonly name: string;
  /** Line of the step's heading (classic: of `# Script`). */
  readonly line: number;
  /** Null for a manual step. */
  readonly script: Script | null;
  readonly confirm?: string;
  /** Name of the variable whose value the person has to type. */
  readonly confirmTyping?: string;
  readonly timeoutMs?: number;
  readonly tty: boolean;
  /** Names that the step passes on through `$RUNBOOK_OUTPUT`. */
  readonly outputs: readonly string[];
  readonly manual?: string;
  readonly doneWhen?: Script;
  readonly rollback?: Script;
}

export interface Runbook {
  /** File name without `.md`; the title where the document has no file. */
  readonly name: string;
  /** Text of the H1 on the first line. */
  readonly title: string;
  /** Markdown between the title and the first section. */
  readonly description: string;
  readonly kind: 'classic' | 'steps';
  readonly metadata: Metadata;
  readonly env: readonly EnvRequirement[];
  readonly files: readonly FileRequirement[];
  /** Null: the document has no claims section at all. */
  readonly claims: readonly ClaimAlternative[] | null;
  /** Who may read output; null: no `readers`. */
  readonly readers: readonly ClaimAlternative[] | null;
  readonly limits: Limits;
  /** A classic runbook has exactly one. */
  readonly steps: readonly Step[];
  /** SHA-256, lower-case hex, over the bytes before `# History`. */
  readonly digest: string;
}

/** What the parser made of a document. `runbook` is null as soon as one problem is an error. */
export interface ParseResult {
  readonly runbook: Runbook | null;
  readonly problems: readonly Problem[];
  /** Best-known title, also of an invalid document, for lists and messages. */
  readonly title: string | null;
  /** SHA-256 of the bytes before `# History`, also of an invalid document. */
  readonly digest: string;
  /** Byte offset of the line of `# History`; null where there is none. */
  readonly historyOffset: number | null;
  /** Names of the sections that it has: a document without any is no runbook at all. */
  readonly sections: ReadonlySet<string>;
}

/** The second group are words that end other words as well (`MONKEY`, `COMPASS`). */
const SECRET_NAME =
  /(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|APIKEY|SSHPASS)$|(?:^|_)(?:KEY|PAT|PWD|PASS|PSK)$/;
const NOT_SECRET = new Set(['PWD', 'OLDPWD', 'KEY', 'PAT']);

/** Whether a variable's name says that its value is a secret (`DB_PASSWORD`, `VAULT_TOKEN`, …). */
export function looksSecret(name: string): boolean {
  const upper = name.toUpperCase();
  return !NOT_SECRET.has(upper) && SECRET_NAME.test(upper);
}

/** The paths that are copied into the work folder. */
export function inputsOf(runbook: Runbook): readonly FileRequirement[] {
  return runbook.files.filter((file) => file.direction === 'input');
}
