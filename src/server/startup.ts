/** What a server looks at before it takes the first request: what is unsafe is refused or said, each in one sentence. */
import { randomBytes } from 'node:crypto';
import type { App } from '../app.ts';
import { secretWeakness } from '../app/authentication.ts';
import { RunbookError } from '../core/errors.ts';
import type { ResolvedSettings, Settings } from '../core/settings.ts';
import type { EnginePorts } from '../engine/ports.ts';
import { checkForms } from './setting-forms.ts';

export interface Prepared {
  readonly resolved: ResolvedSettings;
  readonly warnings: readonly string[];
}

/** @throws RunbookError `settings` */
export function prepareSettings(resolved: ResolvedSettings): Prepared {
  const { settings } = resolved;
  const warnings: string[] = [];
  const hasIssuer =
    settings.oidcIssuer.length > 0 ||
    [settings.jwtPublicKeyFile, settings.jwtJwks, settings.jwtIssuersFile].some((value) => value !== null);
  const hasOwnKeys = settings.jwtSecret !== null || settings.jwtKeysFile !== null;
  checkForms(settings);
  if (settings.enableLogin) {
    if (hasIssuer) {
      throw wrong(
        'ENABLE_LOGIN is on together with an issuer: whoever asks would get a token beside it.',
        'Unset ENABLE_LOGIN, or the issuer’s keys.',
      );
    }
    if (settings.env === 'production') {
      throw wrong(
        'ENABLE_LOGIN is on and RUNBOOK_ENV is production.',
        'Unset ENABLE_LOGIN, and set the keys of an identity provider.',
      );
    }
    warnings.push(
      'POST /dev-login gives a token with any roles to whoever asks (ENABLE_LOGIN): never leave this on where others reach it.',
    );
  } else if (!hasOwnKeys && !hasIssuer) {
    throw wrong(
      'No key is set to verify tokens with, so nobody could use the server.',
      'Set JWT_SECRET (`openssl rand -hex 32`), or the keys of an identity provider; ENABLE_LOGIN=true for a first try.',
    );
  }
  if (settings.adminClaim === null) warnings.push('ADMIN_CLAIM is not set: nobody is an administrator.');
  return { resolved: { ...resolved, settings: withSecret(settings, warnings) }, warnings };
}

/** @returns warnings  @throws RunbookError `settings` for a folder of work folders that is none, `unavailable` where runs cannot be held as it is required */
export async function lookAround(
  { settings, ephemeralLedger }: Pick<App, 'settings' | 'ephemeralLedger'>,
  { executor, runIds, workspace }: Pick<EnginePorts, 'executor' | 'runIds' | 'workspace'>,
): Promise<readonly string[]> {
  if (settings.executionDir !== null) await refuseWrongFolder(settings.executionDir, workspace);
  if (settings.requireContainment !== null) {
    // Else the first run would be the one to find out.
    const limits = { memoryBytes: null, processes: null, fileBytes: null, openFiles: null };
    await (await executor.open({ runId: runIds.next(), limits, terminal: false })).close();
  }
  const kind = await ephemeralLedger();
  if (kind === null) return [];
  return [
    `The ledger is on ${kind}, which does not outlive this machine or container: put RUNBOOK_STATE_DIR on a volume, or the record is lost with it.`,
  ];
}

/** As Stage0: one that was named has to be there. Whether it has room is for `/readyz`. */
async function refuseWrongFolder(folder: string, workspace: EnginePorts['workspace']): Promise<void> {
  try {
    await workspace.foresee();
  } catch (error) {
    throw new RunbookError('settings', `EXECUTION_DIR: “${folder}” is not there, is no folder, or cannot be written.`, {
      fix: 'Create it and give it to the user of the server, or leave EXECUTION_DIR out.',
      cause: error,
    });
  }
}

/** A secret for this start only, where a token is given to whoever asks anyway; there also a weak one will do. */
function withSecret(settings: Settings, warnings: string[]): Settings {
  if (!settings.enableLogin || settings.jwtKeysFile !== null) return settings;
  if (settings.jwtSecret === null) {
    warnings.push('JWT_SECRET is not set: one was made for this start, and tokens do not outlive it.');
    return { ...settings, jwtSecret: randomBytes(32).toString('hex') };
  }
  const weakness = secretWeakness(settings.jwtSecret);
  if (weakness !== null) warnings.push(`${weakness} Without ENABLE_LOGIN the server does not start with it.`);
  return settings;
}

function wrong(message: string, fix: string): RunbookError {
  return new RunbookError('settings', message, { fix });
}
