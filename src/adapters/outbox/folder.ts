/** Reports that wait, as files of the state folder: `outbox/RUN.json`, and `outbox/refused/RUN.json`. */
import { lstat, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Outbox, RefusedReport, WaitingReport } from '../../core/central-record.ts';
import { RunbookError } from '../../core/errors.ts';
import { codeOf, messageOf } from '../../core/failures.ts';
import { makeFolders } from '../system/make-folders.ts';
import { writeWhole } from '../system/whole-file.ts';

const FILE = /^([0-9A-HJKMNP-TV-Z]{26})\.json$/;
/** A record and a document, each as JSON, are smaller. */
const MAX_BYTES = 8 * 1024 ** 2;

export function createOutbox(stateDir: string): Outbox {
  const folder = path.join(stateDir, 'outbox');
  const refusedFolder = path.join(folder, 'refused');
  const fileOf = (runId: string): string => path.join(folder, `${runId}.json`);
  const refusedFileOf = (runId: string): string => path.join(refusedFolder, `${runId}.json`);

  const write = async (file: string, report: WaitingReport | RefusedReport): Promise<void> => {
    makeFolders(path.dirname(file), 0o700);
    await writeWhole(file, [JSON.stringify({ schemaVersion: 1, ...report })], 0o600, () => {});
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RunbookError) throw error;
      throw new RunbookError('io', `Reports cannot be kept in ${folder}: ${messageOf(error)}.`, {
        fix: 'Make room, or give the folder to whoever runs this.',
        cause: error,
      });
    }
  };
  const idsIn = async (place: string): Promise<readonly string[]> =>
    (await namesIn(place)).flatMap((name) => FILE.exec(name)?.[1] ?? []).toSorted();

  return {
    keep: async (report) => {
      await guarded(async () => {
        await write(fileOf(report.runId), report);
      });
    },
    waiting: async () => await guarded(async () => await idsIn(folder)),
    read: async (runId) => await guarded(async () => asReport(runId, await readIfThere(fileOf(runId)))),
    remove: async (runId) => {
      await guarded(async () => {
        await rm(fileOf(runId), { force: true });
      });
    },
    refuse: async (report) => {
      await guarded(async () => {
        await write(refusedFileOf(report.runId), report);
        await rm(fileOf(report.runId), { force: true });
      });
    },
    refused: async () =>
      await guarded(async () => {
        const found: RefusedReport[] = [];
        for (const runId of await idsIn(refusedFolder)) {
          const report = parsed(await readIfThere(refusedFileOf(runId)).catch(() => null));
          if (isRefused(report) && report.runId === runId) found.push(report);
        }
        return found;
      }),
    retry: async () =>
      await guarded(async () => {
        const ids = await idsIn(refusedFolder);
        for (const runId of ids) await rename(refusedFileOf(runId), fileOf(runId));
        return ids.length;
      }),
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Only what this program writes there: a small regular file. */
async function readIfThere(file: string): Promise<string | null> {
  try {
    const facts = await lstat(file);
    if (!facts.isFile() || facts.size > MAX_BYTES) throw new Error(`${file} is no report`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function asReport(runId: string, text: string | null): WaitingReport | null {
  if (text === null) return null;
  const report = parsed(text);
  if (isWaiting(report) && report.runId === runId) return { runId, server: report.server, report: report.report };
  throw new RunbookError('io', `The report of run ${runId} in the outbox cannot be understood.`, {
    fix: 'Remove the file, where the record in the ledger is enough.',
  });
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** The server checks the record itself. */
function isWaiting(value: unknown): value is WaitingReport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'runId' in value &&
    typeof value.runId === 'string' &&
    'server' in value &&
    typeof value.server === 'string' &&
    'report' in value &&
    typeof value.report === 'object'
  );
}

function isRefused(value: unknown): value is RefusedReport {
  return isWaiting(value) && value.report !== null && 'reason' in value && typeof value.reason === 'string';
}
