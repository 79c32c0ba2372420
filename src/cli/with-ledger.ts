/** For commands that look after runs. They ask the ledger, also where new runs are to leave no record. */
import type { LedgerUse } from '../app/opened-ledger.ts';
import type { EnginePorts } from '../engine/ports.ts';
import { withApp } from './context.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { createCare, settlesHere } from './recovery.ts';
import type { LookAfter } from './recovery.ts';
import type { Terminal } from './terminal.ts';

export interface LedgerContext extends CommandContext {
  readonly ports: EnginePorts;
  /** So that what is told of runs is so: those whose owner is gone are recorded as interrupted. Never throws. */
  readonly lookAfterRuns: LookAfter;
}

/** What is recorded is told also where new runs are to leave no record. */
export function askingLedger<T extends CommonOptions>(options: T): T & { readonly history: 'ledger' } {
  return { ...options, history: 'ledger' };
}

/** As `withApp`. A command that does more than ask makes a copy of a ledger one of its own, directly before it does. */
export async function withLedger<T>(
  terminal: Terminal,
  options: CommonOptions,
  ledgerUse: LedgerUse,
  body: (context: LedgerContext) => Promise<T>,
): Promise<T> {
  return await withApp(
    terminal,
    askingLedger(options),
    async (context) => {
      const ports = await settlesHere(terminal, context, await context.app.engine());
      return await body({ ...context, ports, lookAfterRuns: createCare(terminal, context, options) });
    },
    { ledgerUse },
  );
}
