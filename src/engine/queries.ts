/** Questions that start nothing: what is there, what it says, whether it would do. */
import { RunbookError } from '../core/errors.ts';
import type { LoadedDocument } from '../core/ports.ts';
import type { ParseResult, Problem, Runbook } from '../core/runbook.ts';
import { checkVariables, resolveVariables } from '../core/environment.ts';
import { checkReadiness } from '../core/readiness.ts';
import { parseDocument } from './document.ts';
import type { EnginePorts } from './ports.ts';
import { gatherFacts } from './requirements.ts';

export interface DocumentView {
  readonly displayPath: string;
  readonly fileName: string;
  /** Null where the file could not be read; `problem` says why. */
  readonly document: LoadedDocument | null;
  readonly parsed: ParseResult | null;
  readonly problem: string | null;
}

type QueryPorts = Pick<EnginePorts, 'source' | 'clock'>;

/** Every document of the folder, valid or not. @throws RunbookError `not-found` where there is no folder */
export async function listRunbooks(ports: QueryPorts): Promise<readonly DocumentView[]> {
  const documents = await ports.source.list();
  return documents.map((document): DocumentView => {
    const { displayPath, fileName } = document;
    if (document.bytes === null)
      return { displayPath, fileName, document: null, parsed: null, problem: document.problem };
    return { displayPath, fileName, document, parsed: parseDocument(ports, document), problem: null };
  });
}

/** @param extent as `load` of the source @throws RunbookError `not-found`, `io`, `usage` */
export async function showRunbook(
  ports: QueryPorts,
  reference: string,
  extent?: 'whole',
): Promise<{ readonly document: LoadedDocument; readonly parsed: ParseResult }> {
  const document = await ports.source.load(reference, extent);
  return { document, parsed: parseDocument(ports, document) };
}

export interface Validation {
  readonly displayPath: string;
  /** Whether the document itself is a runbook. */
  readonly valid: boolean;
  /** Whether everything that it needs is there; null where that was not asked. */
  readonly ready: boolean | null;
  readonly problems: readonly Problem[];
}

/** As where warnings count as errors. */
export function strictly(validation: Validation): Validation {
  const problems = validation.problems.map((problem): Problem => ({ ...problem, severity: 'error' }));
  return { ...validation, valid: validation.valid && !hasWarning(validation), problems };
}

function hasWarning({ problems }: Validation): boolean {
  return problems.some(({ severity }) => severity === 'warning');
}

/** The document alone; with `ready` also the facts of this machine: variables, inputs, interpreters. */
export async function validateRunbook(
  ports: QueryPorts & Pick<EnginePorts, 'facts' | 'callerEnvironment'>,
  reference: string,
  ready: boolean,
): Promise<Validation> {
  let document: LoadedDocument;
  try {
    document = await ports.source.load(reference);
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error;
    const problem: Problem = {
      severity: 'error',
      rule: error.code,
      message: error.message,
      fix: error.fix,
      line: 1,
      column: 1,
    };
    return { displayPath: reference, valid: false, ready: null, problems: [problem] };
  }
  return await validateDocument(ports, document, ready);
}

/** The same of a document that is loaded already. */
export async function validateDocument(
  ports: Pick<EnginePorts, 'clock' | 'facts' | 'callerEnvironment'>,
  document: LoadedDocument,
  ready: boolean,
): Promise<Validation> {
  const { displayPath } = document;
  const { runbook, problems } = parseDocument(ports, document);
  if (runbook === null || !ready) return { displayPath, valid: runbook !== null, ready: null, problems };
  const unmet = await unmetRequirements(ports, document, runbook, new Map());
  return { displayPath, valid: true, ready: unmet.length === 0, problems: inOrder([...problems, ...unmet]) };
}

/** What a run would miss: variables, inputs, interpreters. @param given values that the caller brings */
export async function unmetRequirements(
  ports: Pick<EnginePorts, 'facts' | 'callerEnvironment'>,
  document: LoadedDocument,
  runbook: Runbook,
  given: ReadonlyMap<string, string>,
): Promise<readonly Problem[]> {
  const { values, missing } = resolveVariables(runbook.env, {
    given,
    wanted: [],
    envFile: new Map(),
    caller: ports.callerEnvironment,
    // Only whether there will be a value is asked here.
    generate: (length) => 'x'.repeat(length),
  });
  return [...checkVariables(values, missing), ...checkReadiness(runbook, await gatherFacts(ports, document, runbook))];
}

/** As they stand in the document. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
