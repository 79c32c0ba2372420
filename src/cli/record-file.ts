/** `--record FILE`: the record of a run as a file, for whoever started it. */
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { RunbookError } from '../core/errors.ts';
import { checkReport, prepareReport } from './report-file.ts';
import type { ReportFile, ReportKind } from './report-file.ts';

export interface RecordFile extends Pick<ReportFile, 'write'> {
  /** As it was given. */
  readonly name: string;
  /** Of a state folder that has no ledger yet. @throws RunbookError `usage` where the file would be in it */
  refuseInside(stateDir: string): void;
}

const RECORD: ReportKind = {
  option: '--record',
  example: 'record.json',
  what: 'a record of a run',
  // As `history RUN --json`, also where somebody has written it anew without blanks.
  beginning: /^\{\s*"schemaVersion":\s*\d+,\s*"command":\s*"history",\s*"run":\s*\{/,
  mode: 0o600,
  checkPlace: (file, name) => {
    const folder = realpathSync(path.dirname(file));
    if (foldersUpFrom(folder).some((one) => existsSync(path.join(one, 'ledger.sqlite')))) throw insideState(name);
  },
};

/** @throws RunbookError as `prepareReport`; `usage`, too, for a file in a state folder */
export async function prepareRecordFile(name: string, cwd: string): Promise<RecordFile> {
  const report = await prepareReport(name, cwd, RECORD);
  return { ...report, name, refuseInside: refuserInside(report.file, name) };
}

/** As `prepareRecordFile`, for who only asks: nothing is written or removed, permissions tell. @throws as that */
export function checkRecordFile(name: string, cwd: string): Pick<RecordFile, 'refuseInside'> {
  return { refuseInside: refuserInside(checkReport(name, cwd, RECORD), name) };
}

function refuserInside(file: string, name: string): RecordFile['refuseInside'] {
  return (stateDir) => {
    const state = existsSync(stateDir) ? realpathSync(stateDir) : path.resolve(stateDir);
    const folder = realpathSync(path.dirname(file));
    if (file === state || foldersUpFrom(folder).includes(state)) throw insideState(name);
  };
}

/** The folder itself first. */
function foldersUpFrom(folder: string): readonly string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUpFrom(parent)];
}

function insideState(name: string): RunbookError {
  return new RunbookError('usage', `--record: ${name} lies in a state folder, which is for the ledger.`, {
    fix: 'Name a file somewhere else.',
  });
}
