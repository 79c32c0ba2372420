/**
 * The variables that every script finds, whatever the face: Stage0's names with Stage0's meaning, and ours.
 * Nobody else may set a name that begins with `RUNBOOK_`.
 */

export interface ContractFacts {
  readonly runId: string;
  readonly step: string;
  /** File that takes `NAME=value` lines of the step's declared outputs. */
  readonly outputFile: string;
  /** File that takes lines which are masked from then on. */
  readonly maskFile: string;
  readonly correlationId: string;
  /** This runbook last. */
  readonly callChain: readonly string[];
  readonly token: string | null;
  /** `http://localhost:8083/api/runbooks` */
  readonly apiUrl: string;
  /** The work folder as the host of a container sees it. */
  readonly execDirHost: string;
  /** Of a rehearsal: a `runbook execute` of the script is one, too. */
  readonly stubs: string | null;
}

/** Names of the contract: what a child `runbook` finds in its environment is no unknown setting. */
export const CONTRACT_NAMES: ReadonlySet<string> = new Set([
  'RUNBOOK_RUN_ID',
  'RUNBOOK_STEP',
  'RUNBOOK_OUTPUT',
  'RUNBOOK_MASK',
  'RUNBOOK_API_TOKEN',
  'RUNBOOK_CORRELATION_ID',
  'RUNBOOK_URL',
  'RUNBOOK_RECURSION_STACK',
  'RUNBOOK_H_AUTH',
  'RUNBOOK_H_CORR',
  'RUNBOOK_H_RECUR',
  'RUNBOOK_H_CTYPE',
  'RUNBOOK_HEADERS',
  'RUNBOOK_EXEC_DIR_HOST',
  'RUNBOOK_STUBS',
]);

export function contractEnvironment(facts: ContractFacts): Record<string, string> {
  const stack = JSON.stringify(facts.callChain);
  const recursion = `X-Recursion-Stack: ${stack}`;
  const correlation = `X-Correlation-Id: ${facts.correlationId}`;
  const contentType = 'Content-Type: application/json';
  const authorization = facts.token === null ? null : `Authorization: Bearer ${facts.token}`;
  const headers = [recursion, correlation, authorization, contentType].filter((header) => header !== null);
  return {
    RUNBOOK_RUN_ID: facts.runId,
    RUNBOOK_STEP: facts.step,
    RUNBOOK_OUTPUT: facts.outputFile,
    RUNBOOK_MASK: facts.maskFile,
    RUNBOOK_CORRELATION_ID: facts.correlationId,
    RUNBOOK_URL: facts.apiUrl,
    RUNBOOK_RECURSION_STACK: stack,
    ...(facts.token === null || authorization === null
      ? {}
      : { RUNBOOK_API_TOKEN: facts.token, RUNBOOK_H_AUTH: authorization }),
    RUNBOOK_H_CORR: correlation,
    RUNBOOK_H_RECUR: recursion,
    RUNBOOK_H_CTYPE: contentType,
    // Written for `eval`; quoted for it too, where Stage0 let a header's text break out of its quotes.
    RUNBOOK_HEADERS: headers.map((header) => `-H ${shellQuote(header)}`).join(' '),
    RUNBOOK_EXEC_DIR_HOST: facts.execDirHost,
    ...(facts.stubs === null ? {} : { RUNBOOK_STUBS: facts.stubs }),
  };
}

/** One word for a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What a step wrote to `$RUNBOOK_OUTPUT`: `NAME=value` lines, or `NAME<<END`, lines, `END`. Anything else is an error. */
export function parseOutputs(
  text: string,
  declared: readonly string[],
): { readonly values: ReadonlyMap<string, string>; readonly errors: readonly string[] } {
  const values = new Map<string, string>();
  const errors: string[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    const heredoc = /^([A-Za-z_][A-Za-z0-9_]*)<<(.+)$/.exec(line);
    const simple = heredoc === null ? /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) : null;
    const name = heredoc?.[1] ?? simple?.[1];
    if (name === undefined) {
      errors.push(`line ${index + 1} of $RUNBOOK_OUTPUT is neither NAME=value nor NAME<<END`);
      continue;
    }
    let value = simple?.[2] ?? '';
    if (heredoc !== null) {
      const end = lines.indexOf(heredoc[2] ?? '', index + 1);
      if (end === -1) {
        errors.push(`the value of ${name} in $RUNBOOK_OUTPUT has no end line ${heredoc[2] ?? ''}`);
        break;
      }
      value = lines.slice(index + 1, end).join('\n');
      index = end;
    }
    if (declared.includes(name)) values.set(name, value);
    else errors.push(`${name} was written to $RUNBOOK_OUTPUT, but the step does not declare it under \`outputs\``);
  }
  return { values, errors };
}
