/** Everything that the engine works with, put together by `app.ts`. */
import type {
  ArtifactStore,
  Authenticator,
  Clock,
  DocumentHistory,
  Executor,
  FactsSource,
  Owners,
  RunIds,
  RunTokens,
  RunLedger,
  RunOutput,
  RunbookSource,
  SecretSource,
  Workspace,
} from '../core/ports.ts';
import type { Admission } from './admission.ts';

export interface EnginePorts {
  readonly source: RunbookSource;
  readonly facts: FactsSource;
  readonly authenticator: Authenticator;
  readonly ledger: RunLedger;
  readonly output: RunOutput;
  readonly documentHistory: DocumentHistory;
  readonly workspace: Workspace;
  readonly executor: Executor;
  /** Null where every run begins at once, or not at all. */
  readonly admission: Admission | null;
  readonly secrets: SecretSource;
  readonly ownSecrets: OwnSecrets;
  /** Null where nothing is kept. */
  readonly artifacts: ArtifactStore | null;
  readonly clock: Clock;
  readonly runIds: RunIds;
  /** The caller's environment as it was at the start; nothing here ever writes to `process.env`. */
  readonly callerEnvironment: ReadonlyMap<string, string>;
  /** Names and patterns of it that every script sees. */
  readonly baseEnvironment: readonly string[];
  /** Whether `HOME` of a script is its work folder, and not the home of whoever runs the tool. */
  readonly homeIsWorkFolder: boolean;
  /** Names and patterns that callers from elsewhere may set although they choose programs, keys or ways through the network. */
  readonly openNames: readonly string[];
  /** What a script may call other runbooks with; null: its caller's own token. */
  readonly runTokens: RunTokens | null;
  /** Set for every script besides the contract: settings that a child `runbook` has to share. */
  readonly childSettings: Readonly<Record<string, string>>;
  /** Folder of the ledger and the outputs; null where nothing is kept. */
  readonly stateDir: string | null;
  readonly owners: Owners;
  readonly osUser: string | null;
  readonly toolVersion: string;
  readonly limits: EngineLimits;
  readonly retention: Retention;
  readonly apiUrl: string;
}

/** Values of settings that nobody may see, and the secrets in files that settings name. */
export interface OwnSecrets {
  /** Grows when files are read again; what was in it stays, since a script may still print it. */
  readonly known: ReadonlySet<string>;
  /** From then on `known` has those in files, too; cheap after the first time. @throws RunbookError `settings` */
  read(): Promise<void>;
}

/** Of output and artifacts; records are kept for ever. */
export interface Retention {
  readonly keepOutputMs: number;
  readonly maxBytes: number;
}

export interface EngineLimits {
  /** Where neither the caller nor the runbook says one. */
  readonly defaultTimeoutMs: number | null;
  readonly maxTimeoutMs: number | null;
  readonly maxOutputBytes: number;
  readonly maxRecursionDepth: number;
  /** Of all processes of a run together. */
  readonly maxMemoryBytes: number | null;
  readonly maxProcesses: number | null;
  /** Of each process. */
  readonly maxFileBytes: number | null;
  readonly maxOpenFiles: number | null;
}
