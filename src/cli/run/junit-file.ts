/** `--junit FILE`: what came of a run as a file of tests. */
import type { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';
import { inline } from '../render.ts';
import { checkReport, prepareReport } from '../report-file.ts';
import type { ReportKind } from '../report-file.ts';
import type { Terminal } from '../terminal.ts';
import { junitOfRefusal, junitOfRun } from './junit.ts';
import type { RunReport } from './report.ts';

export interface JunitFile {
  /** A failure is a warning. @returns false where it could not be written */
  write(terminal: Terminal, report: RunReport): Promise<boolean>;
  refused(terminal: Terminal, error: RunbookError, reference: string): Promise<void>;
}

const JUNIT: ReportKind = {
  option: '--junit',
  example: 'run.xml',
  what: 'a JUnit report',
  beginning: /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?<testsuite/,
  // For whoever reads reports.
  mode: 0o666,
};

/** @throws RunbookError as `prepareReport` */
export async function openJunitFile(name: string, cwd: string): Promise<JunitFile> {
  const file = await prepareReport(name, cwd, JUNIT);
  let isWritten = false;
  const write = async (terminal: Terminal, text: string): Promise<boolean> => {
    if (isWritten) return true;
    try {
      await file.write([text]);
      isWritten = true;
      return true;
    } catch (error) {
      terminal.say(`runbook: warning: ${inline(messageOf(error))}`);
      return false;
    }
  };
  return {
    write: async (terminal, report) => await write(terminal, junitOfRun(report)),
    refused: async (terminal, error, reference) => {
      await write(terminal, junitOfRefusal(error, reference));
    },
  };
}

/** As `openJunitFile`, for who only asks: nothing is written or removed, permissions tell. @throws as that */
export function checkJunitFile(name: string, cwd: string): void {
  checkReport(name, cwd, JUNIT);
}
