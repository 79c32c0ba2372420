/** The composition root: puts adapters behind the engine's ports. What a command does not use is not loaded. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { createArtifactStore } from './adapters/artifacts/folder.ts';
import { createAuthenticator } from './adapters/authenticator/index.ts';
import type { AuthSettings } from './adapters/authenticator/index.ts';
import type { MintRequest } from './adapters/authenticator/mint.ts';
import { createMarkdownHistory } from './adapters/document-history/markdown-file.ts';
import { createExecutor } from './adapters/executor/index.ts';
import { createSystemFacts } from './adapters/facts/system.ts';
import { openLedger, openView } from './adapters/ledger/index.ts';
import { createSpool } from './adapters/output/spool.ts';
import { createLocalSecrets } from './adapters/secrets/local.ts';
import { createFolderSource, findRunbooksFolder } from './adapters/source/folder.ts';
import { systemClock } from './adapters/system/clock.ts';
import { createOwners } from './adapters/system/owner.ts';
import { createRunIds } from './adapters/system/run-ids.ts';
import { makeOwnedFolder } from './adapters/workspace/keep.ts';
import { createWorkspace } from './adapters/workspace/temporary.ts';
import { CLI_BASE } from './core/environment.ts';
import type {
  ArtifactStore,
  FactsSource,
  LedgerView,
  RunLedger,
  RunbookSource,
  SecretSource,
  Clock,
  RunOutput,
} from './core/ports.ts';
import { environmentName, environmentNames, SETTING_NAMES, SETTINGS } from './core/settings.ts';
import type { ResolvedSettings, SettingName, Settings } from './core/settings.ts';
import type { EnginePorts } from './engine/ports.ts';
import { VERSION } from './version.ts';

/** Of all declared outputs of a run together. */
const MAX_ARTIFACT_BYTES = 100 * 1024 ** 2;

/** What a face brings besides settings; nobody below reads `process`. */
export interface Surroundings {
  readonly environment: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly ci: boolean;
  /** Other than the system's. */
  readonly clock?: Clock;
}

export interface App {
  readonly settings: Settings;
  readonly stateDir: string;
  readonly source: RunbookSource;
  readonly facts: FactsSource;
  readonly secrets: SecretSource;
  readonly clock: Clock;
  readonly output: RunOutput;
  readonly artifacts: ArtifactStore;
  readonly callerEnvironment: ReadonlyMap<string, string>;
  /** Opened at the first call. @throws RunbookError `io`, `unavailable` */
  ledger(): Promise<RunLedger>;
  /** To be closed by the caller. @param file null: the ledger itself. @throws RunbookError `not-found`, `io`, `unavailable` */
  view(file: string | null): Promise<LedgerView>;
  /** Everything an execution needs. @throws RunbookError `io`, `unavailable` */
  engine(): Promise<EnginePorts>;
  /** A token signed with the local secret, marked as self-made. @throws RunbookError `settings`, `usage` */
  mintToken(wish: TokenWish): Promise<string>;
  /** Releases what was acquired, last in, first out. */
  close(): void;
}

/** What a self-made token is to say. */
export type TokenWish = Pick<MintRequest, 'subject' | 'roles' | 'claims' | 'ttlMs' | 'now'>;

export async function createApp(resolved: ResolvedSettings, surroundings: Surroundings): Promise<App> {
  const { settings } = resolved;
  const { environment, cwd, clock = systemClock } = surroundings;
  const releases: (() => void)[] = [];
  const stateDir = settings.stateDir ?? defaultStateDir(environment);
  const folder = settings.runbooksDir ?? (await findRunbooksFolder(cwd));
  const secrets = createLocalSecrets(stateDir);
  const callerEnvironment = withoutOwnSecrets(environment);
  const scratch = settings.executionDir ?? path.resolve(cwd, environment.get('TMPDIR') ?? tmpdir());
  const forgotten = settings.history === 'none' ? forgottenFolder(scratch, releases) : null;
  const output = createSpool(forgotten ?? stateDir);
  const artifacts = createArtifactStore({ stateDir, maxBytes: MAX_ARTIFACT_BYTES });
  const auth = authSettings(resolved, environment, cwd);
  const owners = createOwners();
  const ledgerFile = path.join(stateDir, 'ledger.sqlite');
  let ledger: Promise<RunLedger> | null = null;

  const app: App = {
    settings,
    stateDir,
    source: createFolderSource({ folder, cwd }),
    facts: createSystemFacts(environment),
    secrets,
    clock,
    output,
    artifacts,
    callerEnvironment,
    ledger: () =>
      (ledger ??= openLedger(
        settings.history === 'none' ? 'none' : 'sqlite',
        ledgerFile,
        (owner, leaseUntil) => owners.whyGone(owner, leaseUntil, clock.now()) !== null,
      ).then((opened) => {
        releases.push(() => {
          opened.close();
        });
        return opened;
      })),
    view: async (file) => await openView(file ?? ledgerFile, file !== null),
    engine: async () => {
      if (forgotten !== null) await makeOwnedFolder(forgotten, owners.current);
      return {
        source: app.source,
        facts: app.facts,
        authenticator: createAuthenticator('jwt', auth, { now: () => clock.now() }),
        ledger: await app.ledger(),
        output,
        documentHistory: createMarkdownHistory({ ci: surroundings.ci }),
        workspace: createWorkspace({
          parent: scratch,
          mountDir: settings.mountDir,
          owner: settings.history === 'none' ? owners.current : null,
          isGone: (owner) => owners.whyGone(owner, null, clock.now()) !== null,
        }),
        executor: createExecutor({
          stopGraceMs: settings.stopGrace,
          containment: settings.containment,
          required: settings.requireContainment,
        }),
        secrets,
        ownSecrets: SETTING_NAMES.flatMap((name) => {
          const value = SETTINGS[name].secret ? settings[name] : null;
          return typeof value === 'string' ? [value] : [];
        }),
        artifacts: settings.history === 'none' ? null : artifacts,
        clock,
        runIds: createRunIds(clock),
        callerEnvironment,
        baseEnvironment: CLI_BASE,
        childSettings: childSettings(resolved, environment, cwd),
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
        apiUrl: `${settings.apiProtocol}://${settings.apiHost}:${settings.apiPort}/api/runbooks`,
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
        issuer: settings.jwtIssuer,
        audience: settings.jwtAudience.split(',')[0]?.trim() ?? '',
      });
    },
    close: () => {
      for (const release of releases.splice(0).reverse()) release();
    },
  };
  return app;
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

/** XDG Base Directory Specification: `$XDG_STATE_HOME`, else `~/.local/state`. */
function defaultStateDir(environment: ReadonlyMap<string, string>): string {
  const xdg = environment.get('XDG_STATE_HOME');
  const base =
    xdg !== undefined && path.isAbsolute(xdg)
      ? xdg
      : path.join(environment.get('HOME') ?? userInfo().homedir, '.local', 'state');
  return path.join(base, 'runbook');
}

/** The tool's own secrets never reach a script, whatever the runbook declares or the caller lets pass. */
function withoutOwnSecrets(environment: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const own = new Set(SETTING_NAMES.filter((name) => SETTINGS[name].secret).flatMap(environmentNames));
  return new Map([...environment].filter(([name]) => !own.has(name)));
}

/**
 * What a script's own `runbook execute Child.md` must share: settings that did not come from files. Of a secret only the
 * path of the file that holds it.
 */
function childSettings(
  { origins }: ResolvedSettings,
  environment: ReadonlyMap<string, string>,
  cwd: string,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of SETTING_NAMES) {
    const { origin, label, text } = origins.get(name) ?? { origin: 'default', label: null, text: null };
    if (text === null || (origin !== 'flag' && origin !== 'environment')) continue;
    if (!SETTINGS[name].secret) {
      values[environmentName(name)] = text;
    } else if (label?.endsWith('_FILE') === true) {
      values[`${environmentName(name)}_FILE`] = path.resolve(cwd, environment.get(label) ?? '');
    }
  }
  return values;
}

function authSettings(
  { settings, origins }: ResolvedSettings,
  environment: ReadonlyMap<string, string>,
  cwd: string,
): AuthSettings {
  /** The file that a secret was read from. */
  const fileOf = (name: SettingName): string | undefined => {
    const label = origins.get(name)?.label ?? '';
    const file = label.endsWith('_FILE') ? environment.get(label) : undefined;
    return file === undefined ? undefined : path.resolve(cwd, file);
  };
  return {
    jwtSecret: settings.jwtSecret ?? undefined,
    jwtSecretFile: fileOf('jwtSecret'),
    jwtSecretPrevious: settings.jwtSecretPrevious ?? undefined,
    jwtSecretPreviousFile: fileOf('jwtSecretPrevious'),
    jwtKeysFile: settings.jwtKeysFile ?? undefined,
    jwtAlgorithm: settings.jwtAlgorithm ?? undefined,
    jwtPublicKeyFile: settings.jwtPublicKeyFile ?? undefined,
    jwtJwks: settings.jwtJwks ?? undefined,
    jwtIssuer: settings.jwtIssuer,
    jwtAudience: settings.jwtAudience,
    jwtRolesClaim: settings.jwtRolesClaim,
    jwtSubjectClaim: settings.jwtSubjectClaim,
    jwtIssuersFile: settings.jwtIssuersFile ?? undefined,
    oidcIssuers: settings.oidcIssuer,
    jwtPrivateHosts: settings.jwtPrivateHosts,
    jwksStaleMs: settings.jwksStale,
  };
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
