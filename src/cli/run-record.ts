/** What `--record FILE` means for one run: the same document as `history RUN --json` prints, whatever became of the run. */
import { RunbookError } from '../core/errors.ts';
import { messageOf } from '../core/failures.ts';
import type { RunLedger } from '../core/ports.ts';
import type { RunEvent } from '../core/run.ts';
import { keepRecord } from '../engine/record.ts';
import { jsonPieces } from './context.ts';
import type { CommandContext } from './context.ts';
import { batched } from './output.ts';
import type { RecordFile } from './record-file.ts';
import { inline } from './render.ts';
import { documentOf } from './run-document.ts';
import type { Terminal } from './terminal.ts';

export interface RunRecordFile {
  /** To be used instead of the given one. */
  readonly ledger: RunLedger;
  /** Every event of the run. */
  hear(event: RunEvent): void;
  /**
   * Once, at the end; `error` is what ended the run, if anything was thrown. A failure is a warning.
   * @returns false where a record is wanted and could not be written
   */
  write(error?: unknown): Promise<boolean>;
}

export function createRunRecord(
  terminal: Terminal,
  { app, style }: CommandContext,
  file: RecordFile | null,
  ledger: RunLedger,
): RunRecordFile {
  if (file === null) return { ledger, hear: () => {}, write: async () => true };
  const keeper = keepRecord(ledger);
  let written: Promise<boolean> | null = null;

  const write = async (error: unknown): Promise<boolean> => {
    try {
      const code = error instanceof RunbookError ? error.code : 'internal';
      const run = await keeper.read(error === undefined ? null : { code, message: messageOf(error) });
      if (run === null) {
        const what = `--record: ${file.name} was not written, since there is nothing yet that could be recorded.`;
        terminal.say(`runbook: ${style.yellow('warning')}: ${inline(what)}`);
        return false;
      }
      const { document } = await documentOf({ ledger, output: app.output }, run);
      await file.write(batched(jsonPieces('history', document)));
      return true;
    } catch (failure) {
      terminal.say(`runbook: ${style.yellow('warning')}: ${inline(messageOf(failure))}`);
      return false;
    }
  };
  return {
    ledger: keeper.ledger,
    hear: (event) => {
      keeper.hear(event);
    },
    write: (error) => (written ??= write(error)),
  };
}
