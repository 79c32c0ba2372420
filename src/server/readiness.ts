/** Whether the server can take work, each thing by its name. */
import { messageOf } from '../core/failures.ts';
import type { ServerContext } from './context.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Nothing of a runbook is run. Details are sentences without paths of the server. */
export async function readiness({ app, engine, runs }: ServerContext): Promise<Check[]> {
  return await Promise.all([
    check('accepting', async () => (runs.isDraining ? fail('the server is about to end') : 'takes runs')),
    check('ledger', async () => {
      const paused = await engine.ledger.paused();
      return paused === null ? 'can be read' : `can be read; runs are paused: ${paused.reason ?? ''}`;
    }),
    check('runbooks', async () => `${(await engine.source.list()).length} documents`),
    check('keys', async () => {
      await app.authenticator.ready();
      return 'are set';
    }),
    check('containment', async () => {
      const enclosure = await engine.executor.open({
        runId: engine.runIds.next(),
        limits: { memoryBytes: null, processes: null, fileBytes: null, openFiles: null },
        terminal: false,
      });
      await enclosure.close();
      return enclosure.containment.rung;
    }),
  ]);
}

async function check(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await look() };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}

function fail(text: string): never {
  throw new Error(text);
}
