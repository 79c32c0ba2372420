/** What the record of a run will say, filled in as it becomes known; whenever a run is refused, what is known is kept. */
import { randomUUID } from 'node:crypto';
import type { Identity, LoadedDocument } from '../core/ports.ts';
import type { RunRecord, RunRequest, RunState, VariableRecord } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';

export interface Draft {
  readonly runId: string;
  readonly enqueuedAt: string;
  readonly correlationId: string;
  readonly historyMode: RunRecord['historyMode'];
  readonly subject: string | null;
  readonly path: string | null;
  /** Text of the document up to its history; null until it was read. */
  readonly head: Buffer | null;
  readonly hasHistory: boolean;
  /** When the script's turn came, ISO 8601; the time of asking until then. */
  readonly startedAt: string;
  begin(at: string): void;
  identity(identity: Identity): void;
  document(document: LoadedDocument): void;
  text(name: string, digest: string, head: Buffer, hasHistory: boolean): void;
  git(facts: { readonly commit: string; readonly dirty: boolean } | null): void;
  history(mode: RunRecord['historyMode']): void;
  variables(variables: readonly VariableRecord[]): void;
  record(state: RunState): RunRecord;
}

const CORRELATION_ID = /^[A-Za-z0-9._-]{1,64}$/;

export function startDraft(ports: EnginePorts, request: RunRequest): Draft {
  const runId = ports.runIds.next();
  const enqueuedAt = ports.clock.now().toISOString();
  // A foreign id goes into headers, logs and records: anything but a plain one is replaced.
  const given = request.correlationId;
  const correlationId = given !== null && CORRELATION_ID.test(given) ? given : randomUUID();
  let identity: Identity | null = null;
  let runbook: RunRecord['runbook'] = { name: request.reference.slice(0, 255), digest: null, path: null };
  let head: Buffer | null = null;
  let hasHistory = false;
  let historyMode: RunRecord['historyMode'] = request.historyMode === 'none' ? 'none' : 'ledger';
  let variables: readonly VariableRecord[] = [];
  let startedAt = enqueuedAt;

  return {
    runId,
    enqueuedAt,
    correlationId,
    get historyMode() {
      return historyMode;
    },
    get subject() {
      return identity?.subject ?? null;
    },
    get path() {
      return runbook.path;
    },
    get head() {
      return head;
    },
    get hasHistory() {
      return hasHistory;
    },
    get startedAt() {
      return startedAt;
    },
    begin: (at) => {
      startedAt = at;
    },
    identity: (value) => {
      identity = value;
    },
    document: (document) => {
      runbook = { name: document.fileName.replace(/\.md$/, ''), digest: null, path: document.path };
    },
    text: (name, digest, bytes, history) => {
      runbook = { ...runbook, name, digest };
      head = bytes;
      hasHistory = history;
    },
    git: (facts) => {
      if (facts !== null) runbook = { ...runbook, gitCommit: facts.commit, gitDirty: facts.dirty };
    },
    history: (mode) => {
      historyMode = mode;
    },
    variables: (value) => {
      variables = value;
    },
    record: (state) => ({
      schemaVersion: 1,
      runId,
      operation: 'execute',
      state,
      enqueuedAt,
      runbook,
      who: {
        subject: identity?.subject ?? null,
        roles: identity?.roles ?? [],
        issuer: identity?.issuer ?? null,
        keyId: identity?.keyId ?? null,
        tokenId: identity?.tokenId ?? null,
        selfMade: identity?.selfMade ?? false,
        osUser: ports.osUser,
        host: ports.owner.host,
        address: null,
      },
      source: request.source,
      toolVersion: ports.toolVersion,
      containment: null,
      correlationId,
      callChain: request.callChain,
      incident: request.incident,
      rehearsal: false,
      historyMode,
      variables,
      startedAt: null,
      result: null,
      refusal: null,
    }),
  };
}
