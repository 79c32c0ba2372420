/** For commands that look after runs. They ask the ledger, also where new runs are to leave no record. */
import type { EnginePorts } from '../engine/ports.ts';
import { withApp } from './context.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import type { Terminal } from './terminal.ts';

/** As `withApp`. */
export async function withLedger<T>(
  terminal: Terminal,
  options: CommonOptions,
  body: (context: CommandContext, ports: EnginePorts) => Promise<T>,
): Promise<T> {
  return await withApp(terminal, { ...options, history: 'ledger' }, async (context) => {
    const ports = await context.app.engine();
    return await body(context, ports);
  });
}
