/** For commands that look after runs. They ask the ledger, also where new runs are to leave no record. */
import type { EnginePorts } from '../engine/ports.ts';
import { withApp } from './context.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { createCare, settleHere } from './recovery.ts';
import type { LookAfter } from './recovery.ts';
import type { Terminal } from './terminal.ts';

export interface LedgerContext extends CommandContext {
  readonly ports: EnginePorts;
  /** So that what is told of runs is so: those whose owner is gone are recorded as interrupted. Never throws. */
  readonly lookAfterRuns: LookAfter;
}

/** As `withApp`. A command that does more than ask makes a copy of a ledger one of its own. */
export async function withLedger<T>(
  terminal: Terminal,
  options: CommonOptions,
  body: (context: LedgerContext) => Promise<T>,
  { onlyAsks = false }: { readonly onlyAsks?: boolean } = {},
): Promise<T> {
  return await withApp(
    terminal,
    { ...options, history: 'ledger' },
    async (context) => {
      const ports = await context.app.engine();
      if (!onlyAsks) await settleHere(terminal, context, ports);
      return await body({ ...context, ports, lookAfterRuns: createCare(terminal, context, options) });
    },
    { onlyAsks },
  );
}
