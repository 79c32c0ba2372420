/** The composition root: puts adapters behind the engine's ports. What a command does not use is not loaded. */
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { authSettings, isSecretFree, namesSecretFiles, secretsAmong, withRunTokens } from './app/authentication.ts';
import { apiUrlOf, childSettings, jobSecrets, serverBase, withoutOwnSecrets } from './app/environment.ts';
import { openFor, openNone } from './app/opened-ledger.ts';
import type { LedgerUse, OpenedLedger } from './app/opened-ledger.ts';
import { createArtifactStore } from './adapters/artifacts/folder.ts';
import { createAuthenticator } from './adapters/authenticator/index.ts';
import type { LazyAuthenticator } from './adapters/authenticator/index.ts';
import type { RunTokenAuthenticator } from './adapters/authenticator/run-token.ts';
import type { MintRequest } from './adapters/authenticator/mint.ts';
import { createDocumentWriter } from './adapters/document-writer/file.ts';
import type { Reach } from './adapters/facts/reach.ts';
import { createSystemFacts } from './adapters/facts/system.ts';
import { openLedgerToRead, openView } from './adapters/ledger/index.ts';
import { createSpool } from './adapters/output/spool.ts';
import { createLocalSecrets } from './adapters/secrets/local.ts';
import { createFolderSource, findRunbooksFolder, mountedRunbooks } from './adapters/source/folder.ts';
import { systemClock } from './adapters/system/clock.ts';
import { ephemeralStorage } from './adapters/system/ephemeral-storage.ts';
import { createOwners } from './adapters/system/owner.ts';
import { defaultStateDir } from './app/home.ts';
import { CLI_BASE, SERVER_BASE } from './core/environment.ts';
import type {
  ArtifactStore,
  DocumentWriter,
  FactsSource,
  LedgerView,
  RunLedger,
  RunbookSource,
  SecretSource,
  Clock,
  RunOutput,
} from './core/ports.ts';
import type { RunbookError } from './core/errors.ts';
import type { RunOwner } from './core/run.ts';
import type { Face, ResolvedSettings, Settings } from './core/settings.ts';
import type { EnginePorts } from './engine/ports.ts';
import { VERSION } from './version.ts';

/** Of all declared outputs of a run together. */
const MAX_ARTIFACT_BYTES = 100 * 1024 ** 2;

/** Of a server; while one is taken the next is made. */
const READY_REAPERS = 4;

/** What a face brings besides settings; nobody below reads `process`. */
export interface Surroundings {
  readonly environment: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly ci: boolean;
  /** Default: `cli`. */
  readonly face?: Face;
  /** Other than the system's. */
  readonly clock?: Clock;
  /** Default: `run`. */
  readonly ledgerUse?: LedgerUse;
}

export interface App {
  readonly settings: Settings;
  /** Null: there is none. */
  readonly runbooksDir: string | null;
  readonly stateDir: string;
  readonly source: RunbookSource;
  readonly documentWriter: DocumentWriter;
  readonly facts: FactsSource;
  readonly secrets: SecretSource;
  readonly clock: Clock;
  readonly output: RunOutput;
  readonly artifacts: ArtifactStore;
  readonly authenticator: LazyAuthenticator;
  readonly callerEnvironment: ReadonlyMap<string, string>;
  /** Opened at the first call. @throws RunbookError `io`, `unavailable`; `not-found` where it was named, is not there, and is not made */
  ledger(): Promise<RunLedger>;
  /** Whether there is a ledger; else nothing was run yet. @throws as `ledger` */
  hasLedger(): Promise<boolean>;
  /** Where the ledger is foreseen: what a run would be refused with before it is looked at. */
  whyNoRun(): Promise<RunbookError | null>;
  /** One sentence, where the ledger is only asked and nobody may look after its runs; else null. @throws as `ledger` */
  whyLeftAlone(): Promise<string | null>;
  /**
   * The ledger for a question that is asked in passing: never made, never written to, and null where there is none, or runs
   * are to leave no record. @throws RunbookError `io`, `busy`, `unavailable`
   */
  peek(): Promise<RunLedger | null>;
  /** To be closed by the caller. @param file null: the ledger itself. @throws RunbookError `not-found`, `io`, `unavailable` */
  view(file: string | null): Promise<LedgerView>;
  /** Everything an execution needs. @throws RunbookError `io`, `unavailable` */
  engine(): Promise<EnginePorts>;
  /** Of the pipeline's job that this is part of. @throws RunbookError `unauthenticated`, `settings`, `unavailable` */
  jobToken(audience: string | null): Promise<string>;
  /** A token signed with the local secret, marked as self-made. @throws RunbookError `settings`, `usage` */
  mintToken(wish: TokenWish): Promise<string>;
  /** What keeps the ledger, where that does not outlive a restart of the machine or container; null where it does. */
  ephemeralLedger(): Promise<string | null>;
  /** What a script could reach besides what it is given; starts `sudo -n`, which only asks. */
  reach(): Promise<Reach>;
  /** Whether other users may write there. */
  isWritableByOthers(place: string): Promise<boolean>;
  /** Releases what was acquired, last in, first out. */
  close(): void;
}

/** What a self-made token is to say. */
export type TokenWish = Pick<MintRequest, 'subject' | 'roles' | 'claims' | 'ttlMs' | 'now'>;

export async function createApp(resolved: ResolvedSettings, surroundings: Surroundings): Promise<App> {
  const { settings } = resolved;
  const { environment, cwd, clock = systemClock, face = 'cli' } = surroundings;
  const isServer = face === 'server';
  const releases: (() => void)[] = [];
  const stateDir = settings.stateDir ?? defaultStateDir(environment);
  const folder = settings.runbooksDir ?? (await findRunbooksFolder(cwd)) ?? (isServer ? await mountedRunbooks() : null);
  const secrets = createLocalSecrets(stateDir, surroundings.ledgerUse !== 'foresee');
  const own = withoutOwnSecrets(environment, face);
  // Of a server the scripts are somebody else's: they see nothing of it but what they declare.
  const callerEnvironment = isServer ? new Map([...own, ...serverBase(settings, environment)]) : own;
  const scratch = settings.executionDir ?? path.resolve(cwd, environment.get('TMPDIR') ?? tmpdir());
  const forgotten = settings.history === 'none' ? forgottenFolder(scratch, releases) : null;
  const output = createSpool(forgotten ?? stateDir);
  const artifacts = createArtifactStore({ stateDir, maxBytes: MAX_ARTIFACT_BYTES });
  const auth = authSettings(resolved, environment, cwd, face);
  const ownSecrets = new Set([...secretsAmong(settings), ...jobSecrets(environment)]);
  const runTokens = isServer ? await loadRunTokens(clock) : null;
  const owners = createOwners();
  const ledgerFile = path.join(stateDir, 'ledger.sqlite');
  const isGone = (owner: RunOwner, leaseUntil: string | null): boolean =>
    owners.whyGone(owner, leaseUntil, clock.now()) !== null;
  let opened: Promise<OpenedLedger> | null = null;
  const open = async (): Promise<OpenedLedger> => {
    const place = { file: ledgerFile, isNamed: settings.stateDir !== null, scratch, isGone };
    const found =
      settings.history === 'none' ? await openNone(ledgerFile) : await openFor(surroundings.ledgerUse ?? 'run', place);
    releases.push(() => {
      found.ledger.close();
    });
    return found;
  };

  const app: App = {
    settings,
    runbooksDir: folder,
    stateDir,
    source: createFolderSource(isServer ? { folder, cwd: folder ?? cwd, namesOnly: true } : { folder, cwd }),
    documentWriter: createDocumentWriter(),
    facts: createSystemFacts(environment),
    secrets,
    clock,
    output,
    artifacts,
    authenticator: createAuthenticator('jwt', auth, {
      now: () => clock.now(),
      onSecret: (secret) => ownSecrets.add(secret),
    }),
    callerEnvironment,
    ledger: async () => (await (opened ??= open())).ledger,
    hasLedger: async () => (await (opened ??= open())).isThere,
    whyNoRun: async () => {
      const { whyNoFolder } = await import('./adapters/workspace/keep.ts');
      const noFolder = forgotten === null ? null : whyNoFolder(scratch);
      if (noFolder !== null) return noFolder;
      return (await (opened ??= open())).obstacle ?? null;
    },
    whyLeftAlone: async () => (await (opened ??= open())).whyLeftAlone,
    peek: async () => {
      const found = settings.history === 'none' ? null : await openLedgerToRead(ledgerFile, isGone, scratch);
      releases.push(() => found?.close());
      return found;
    },
    view: async (file) => await openView(file ?? ledgerFile, file !== null, scratch),
    engine: async () => {
      const { createExecutor, createMarkdownHistory, createRunIds, createWorkspace, makeOwnedFolder } =
        await import('./app/run-adapters.ts');
      const executor = createExecutor({
        stopGraceMs: settings.stopGrace,
        containment: settings.containment,
        required: settings.requireContainment,
        ...(isServer ? { ready: READY_REAPERS } : {}),
      });
      releases.push(() => {
        executor.close();
      });
      if (forgotten !== null && surroundings.ledgerUse !== 'foresee') await makeOwnedFolder(forgotten, owners.current);
      return {
        source: app.source,
        facts: app.facts,
        authenticator: runTokens === null ? app.authenticator : withRunTokens(app.authenticator, runTokens),
        ledger: await app.ledger(),
        output,
        documentHistory: createMarkdownHistory({ ci: surroundings.ci }),
        workspace: createWorkspace({
          parent: scratch,
          mountDir: settings.mountDir,
          owner: settings.history === 'none' ? owners.current : null,
          isGone: (owner) => owners.whyGone(owner, null, clock.now()) !== null,
        }),
        executor,
        admission: null,
        secrets,
        ownSecrets: {
          known: ownSecrets,
          // Without such files there is nothing more to know, and nothing is loaded.
          read: async () => {
            if (namesSecretFiles(auth)) await app.authenticator.load();
            if (!isServer && existsSync(path.join(stateDir, 'login'))) {
              const { loginSecrets } = await import('./app/login.ts');
              for (const secret of await loginSecrets(stateDir)) ownSecrets.add(secret);
            }
          },
        },
        artifacts: settings.history === 'none' ? null : artifacts,
        clock,
        runIds: createRunIds(clock),
        callerEnvironment,
        baseEnvironment: isServer ? SERVER_BASE : CLI_BASE,
        homeIsWorkFolder: isServer,
        openNames: settings.openEnv,
        runTokens,
        // Scripts of a server call it over HTTP.
        childSettings: isServer ? {} : childSettings(resolved, environment, cwd),
        stateDir: settings.history === 'none' ? null : stateDir,
        owners,
        osUser: userName(),
        toolVersion: VERSION,
        limits: {
          defaultTimeoutMs: settings.timeout,
          maxTimeoutMs: settings.maxTimeout,
          maxOutputBytes: settings.maxOutput,
          maxRecursionDepth: settings.maxRecursionDepth,
          maxMemoryBytes: settings.maxMemory,
          maxProcesses: settings.maxProcesses,
          maxFileBytes: settings.maxFileSize,
          maxOpenFiles: settings.maxOpenFiles,
        },
        retention: { keepOutputMs: settings.keepOutput, maxBytes: settings.maxOutputStore },
        apiUrl: apiUrlOf(settings, settings.apiPort),
      };
    },
    mintToken: async (wish) => {
      const [{ mintToken }, { signingKey }] = await Promise.all([
        import('./adapters/authenticator/mint.ts'),
        import('./adapters/authenticator/signing-key.ts'),
      ]);
      return await mintToken({
        ...wish,
        ...signingKey(auth, wish.now),
        anyStrength: isSecretFree(settings, face),
        issuer: settings.jwtIssuer,
        audience: settings.jwtAudience.split(',')[0]?.trim() ?? '',
      });
    },
    jobToken: async (audience) => {
      const { fetchJobToken } = await import('./adapters/job-identity/github.ts');
      return await fetchJobToken(environment, audience ?? settings.jwtAudience.split(',')[0]?.trim() ?? '');
    },
    ephemeralLedger: async () => (settings.history === 'none' ? null : await ephemeralStorage(stateDir)),
    reach: async () => await (await import('./adapters/facts/reach.ts')).readReach(environment),
    isWritableByOthers: async (place) => await (await import('./adapters/facts/reach.ts')).isWritableByOthers(place),
    close: () => {
      for (const release of releases.splice(0).reverse()) release();
    },
  };
  return app;
}

/** The command line never needs them. */
async function loadRunTokens(clock: Clock): Promise<RunTokenAuthenticator> {
  const { createRunTokens } = await import('./adapters/authenticator/run-token.ts');
  return createRunTokens({ now: () => clock.now() });
}

/** Where output waits for its reader in a run that leaves no record. */
function forgottenFolder(parent: string, releases: (() => void)[]): string {
  const folder = path.join(parent, `runbook-exec-output-${randomUUID()}`);
  releases.push(() => {
    // The file that says whose it is goes last: another may have to finish this.
    rmSync(path.join(folder, 'output'), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function userName(): string | null {
  try {
    return userInfo().username;
  } catch {
    // A container's arbitrary uid has no entry in /etc/passwd.
    const uid = process.getuid?.();
    return uid === undefined ? null : `uid ${uid}`;
  }
}
