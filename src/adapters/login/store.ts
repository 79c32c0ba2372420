/** Tokens of logins as files of the state folder: `login/ORIGIN.json`, for their owner only. */
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import type { LoginStore, StoredLogin } from '../../core/login.ts';
import { makeFolders } from '../system/make-folders.ts';
import { writeWhole } from '../system/whole-file.ts';

const MAX_BYTES = 128 * 1024;

export function createLoginStore(stateDir: string): LoginStore {
  const folder = path.join(stateDir, 'login');
  const fileOf = (origin: string): string => path.join(folder, `${encodeURIComponent(origin)}.json`);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RunbookError) throw error;
      throw new RunbookError('io', `Tokens cannot be kept in ${folder}: ${messageOf(error)}.`, {
        fix: 'Make room, or give the folder to whoever runs this.',
        cause: error,
      });
    }
  };
  return {
    read: async (origin) =>
      await guarded(async () => {
        const login = await readLogin(fileOf(origin));
        return login?.origin === origin ? login : null;
      }),
    write: async (login) => {
      await guarded(async () => {
        makeFolders(folder, 0o700);
        const text = JSON.stringify({ schemaVersion: 1, ...login });
        await writeWhole(fileOf(login.origin), [text], 0o600, () => {});
      });
    },
    remove: async (origin) =>
      await guarded(async () => {
        try {
          await rm(fileOf(origin));
          return true;
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return false;
          throw error;
        }
      }),
    inTurn: async (work) => {
      const { takeTurn } = await import('./turn.ts');
      const leave = await guarded(async () => await takeTurn(folder));
      try {
        return await work();
      } finally {
        leave();
      }
    },
    all: async () => {
      const names = await readdir(folder).catch(() => []);
      const files = names.filter((name) => name.endsWith('.json')).map((name) => path.join(folder, name));
      const logins = await Promise.all(files.map(async (file) => await readLogin(file).catch(() => null)));
      return logins.filter((login) => login !== null);
    },
  };
}

/** Null where there is none, or what is there is none. @throws Error of the system */
async function readLogin(file: string): Promise<StoredLogin | null> {
  try {
    const facts = await lstat(file);
    if (!facts.isFile() || facts.size > MAX_BYTES) return null;
    const login: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isLogin(login) ? login : null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

function isLogin(value: unknown): value is StoredLogin {
  return (
    typeof value === 'object' &&
    value !== null &&
    'origin' in value &&
    typeof value.origin === 'string' &&
    'accessToken' in value &&
    typeof value.accessToken === 'string' &&
    'expiresAt' in value &&
    isTextOrNull(value.expiresAt) &&
    'refreshToken' in value &&
    isTextOrNull(value.refreshToken) &&
    'renewal' in value &&
    isRenewal(value.renewal)
  );
}

function isRenewal(value: unknown): boolean {
  if (value === null) return true;
  return (
    typeof value === 'object' &&
    'tokenEndpoint' in value &&
    typeof value.tokenEndpoint === 'string' &&
    'clientId' in value &&
    typeof value.clientId === 'string'
  );
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}
