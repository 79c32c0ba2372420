/** What is known of a run so far. Checks fill it in as they go, so that a refusal keeps whatever was known by then. */
import { randomUUID } from 'node:crypto';
import { createMasker } from '../core/masking/masker.ts';
import type { Masker } from '../core/masking/masker.ts';
import type { HistoryDocument, Identity, LoadedDocument, Operation } from '../core/ports.ts';
import type { Refusal, RunEvent, RunRecord, RunRequest, StepChoice, VariableRecord } from '../core/run.ts';
import { looksSecret } from '../core/runbook.ts';
import type { ParseResult } from '../core/runbook.ts';
import { passwordsOf, withoutPasswords } from '../core/url-passwords.ts';
import type { EnginePorts } from './ports.ts';
import { hideToken } from './secrets.ts';

export interface Draft {
  readonly runId: string;
  readonly enqueuedAt: string;
  readonly correlationId: string;
  readonly request: RunRequest;
  readonly operation: RunRecord['operation'];
  /** Knows every secret of the run, as soon as the run does. */
  readonly masker: Masker;
  /** Ends the run: the request's own signal; from `enqueue` on also whoever cancels it. Its reason is a `StopReason`. */
  stop: AbortSignal;
  /** Who wanted it to end so far, oldest first; nobody before `enqueue`. Never fails. */
  requests: () => Promise<readonly Operation[]>;
  identity: Identity | null;
  document: LoadedDocument | null;
  parsed: ParseResult | null;
  git: { readonly commit: string; readonly dirty: boolean } | null;
  historyMode: RunRecord['historyMode'];
  variables: readonly VariableRecord[];
  /** What the caller wrote; the name of the step once the document is known. */
  choice: StepChoice | null;
  continues: string | null;
}

const CORRELATION_ID = /^[A-Za-z0-9._-]{1,64}$/;
const MAX_NAME_LENGTH = 255;

export function startDraft(
  ports: EnginePorts,
  request: RunRequest,
  operation: RunRecord['operation'] = 'execute',
): Draft {
  // A foreign id goes into headers, logs and records: anything but a plain one is replaced.
  const given = request.correlationId;
  // The tool's own secrets, and the token of the request: known before anything is checked.
  const masker = createMasker(ports.ownSecrets.known, request.onSecret);
  if (request.token !== null) hideToken(masker, request.token);
  for (const password of passwordsIn(request)) masker.add(password);
  return {
    runId: ports.runIds.next(),
    enqueuedAt: ports.clock.now().toISOString(),
    correlationId: given !== null && CORRELATION_ID.test(given) ? given : randomUUID(),
    request,
    operation,
    masker,
    stop: request.signal,
    requests: async () => [],
    identity: null,
    document: null,
    parsed: null,
    git: null,
    historyMode: request.historyMode === 'none' ? 'none' : 'ledger',
    variables: [],
    choice: request.choice,
    continues: null,
  };
}

/** What a person has written into a request stands in its record. */
function passwordsIn({ reference, incident, choice }: RunRequest): readonly string[] {
  return [reference, incident ?? '', choice?.step ?? ''].flatMap(passwordsOf);
}

/** Text of the document up to its history; null until it was read. */
export function headOf({ document, parsed }: Draft): Buffer | null {
  return document === null || parsed === null
    ? null
    : document.bytes.subarray(0, parsed.historyOffset ?? document.bytes.length);
}

/** Where the entry of this run belongs; null until the document was read. */
export function historyDocumentOf({ document, parsed }: Draft): HistoryDocument | null {
  if (document === null || parsed === null) return null;
  return { path: document.path, hasHistory: parsed.historyOffset !== null, stamp: document.stamp };
}

/** As records tell them: an address with a password is told without it. */
export function recordedVariables({ variables, masker }: Draft): readonly VariableRecord[] {
  return variables.map((variable) =>
    variable.value === undefined ? variable : { ...variable, value: masker.text(variable.value) },
  );
}

/**
 * Also in a record of a refusal, which may come before it is known which variables are secrets: then everything counts as
 * one that the caller gave, but not on the command line, where everybody can see it.
 */
function maskedIncident(ports: EnginePorts, draft: Draft, incident: string): string {
  const { request, masker, parsed } = draft;
  const declared = new Map((parsed?.runbook?.env ?? []).map(({ name, secret }) => [name, secret]));
  const isUnknown = (parsed?.runbook ?? null) === null;
  const isSecret = (name: string): boolean => declared.get(name) ?? looksSecret(name);
  const early = createMasker();
  for (const [name, value] of ports.callerEnvironment)
    if (isSecret(name) || (isUnknown && request.wanted.includes(name))) early.add(value);
  for (const [name, value] of [...request.given, ...request.envFile])
    if (isSecret(name) || (isUnknown && !request.onCommandLine.has(name))) early.add(value);
  return withoutPasswords(masker.text(early.text(incident)));
}

/** The record of the first transition: `queued`, or `refused` with its reason. */
export function recordOf(ports: EnginePorts, draft: Draft, refusal: Refusal | null): RunRecord {
  const { runId, enqueuedAt, correlationId, request, identity, document, parsed, git, historyMode } = draft;
  const { choice, continues, masker } = draft;
  // A message may name a path that was made of an address: `https:/anna:…@ci`.
  const told = (text: string): string =>
    passwordsIn(request).reduce(
      (shown, password) => shown.replaceAll(`:${password}@`, () => ':***@'),
      withoutPasswords(masker.text(text)),
    );
  return {
    schemaVersion: 1,
    runId,
    operation: draft.operation,
    state: refusal === null ? 'queued' : 'refused',
    enqueuedAt,
    runbook: {
      name: (document?.fileName.replace(/\.md$/, '') ?? told(request.reference)).slice(0, MAX_NAME_LENGTH),
      digest: parsed?.digest ?? null,
      path: document?.path ?? null,
      ...(git === null ? {} : { gitCommit: git.commit, gitDirty: git.dirty }),
    },
    who: {
      subject: identity?.subject ?? null,
      roles: identity?.roles ?? [],
      issuer: identity?.issuer ?? null,
      keyId: identity?.keyId ?? null,
      tokenId: identity?.tokenId ?? null,
      selfMade: identity?.selfMade ?? false,
      osUser: ports.osUser,
      host: ports.owners.current.host,
      address: request.address,
    },
    source: request.source,
    toolVersion: ports.toolVersion,
    containment: null,
    correlationId,
    callChain: request.callChain,
    ...(continues === null ? {} : { continues }),
    ...(choice === null ? {} : { steps: { [choice.kind]: told(choice.step).slice(0, MAX_NAME_LENGTH) } }),
    incident: request.incident === null ? null : maskedIncident(ports, draft, request.incident),
    rehearsal: request.stubs !== null,
    historyMode,
    ...(request.keepWorkFolder === 'failed' ? {} : { keepWorkFolder: request.keepWorkFolder }),
    variables: recordedVariables(draft),
    startedAt: null,
    result: null,
    refusal: refusal === null ? null : { ...refusal, message: told(refusal.message) },
  };
}

/** `record` as `recordOf` made it. */
export function queuedEvent({ runId, enqueuedAt, variables }: RunRecord, { displayPath }: LoadedDocument): RunEvent {
  return { type: 'queued', runId, at: enqueuedAt, variables, document: displayPath };
}
