/** For commands that look after runs. They ask the ledger, also where new runs are to leave no record. */
import type { EnginePorts } from '../engine/ports.ts';
import { withApp } from './context.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { recoverRuns } from './recovery.ts';
import type { Terminal } from './terminal.ts';

export interface LedgerContext extends CommandContext {
  readonly ports: EnginePorts;
  /** So that what is told of runs is so: those whose owner is gone are recorded as interrupted. Never throws. */
  readonly lookAfterRuns: () => Promise<void>;
}

/** As `withApp`. */
export async function withLedger<T>(
  terminal: Terminal,
  options: CommonOptions,
  body: (context: LedgerContext) => Promise<T>,
): Promise<T> {
  return await withApp(terminal, { ...options, history: 'ledger' }, async (context) => {
    const lookAfterRuns = async (): Promise<void> => {
      await recoverRuns(terminal, context);
    };
    return await body({ ...context, ports: await context.app.engine(), lookAfterRuns });
  });
}
