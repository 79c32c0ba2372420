/** `runbook plan`, and `runbook execute --dry-run`: what a run would do and meet. Nothing is started, written or asked. */
import { planRun } from '../../engine/plan.ts';
import { printJson, withApp } from '../context.ts';
import { inline } from '../render.ts';
import { planPage } from '../plan-page.ts';
import { checkRecordFile } from '../record-file.ts';
import { checkJunitFile } from '../run/junit-file.ts';
import { checkIncident, chooseReference, emptyRequest, fillIn, refuseDebugging } from '../run-request.ts';
import type { ExecuteOptions } from '../run-request.ts';
import type { Terminal } from '../terminal.ts';

/** @returns 0 where the run would begin, else what `execute` would end with */
export async function planCommand(
  terminal: Terminal,
  argument: string | undefined,
  options: ExecuteOptions,
): Promise<number> {
  // In the order of `execute`.
  if (options.junit !== undefined) checkJunitFile(options.junit, terminal.cwd);
  const file = options.record === undefined ? null : checkRecordFile(options.record, terminal.cwd);
  refuseDebugging(terminal);
  const reference = chooseReference(argument, options.runbook);
  checkIncident(options.incident);
  return await withApp(
    terminal,
    options,
    async (context) => {
      const { app, style, printStyle } = context;
      file?.refuseInside(app.stateDir);
      const obstacle = await app.whyNoRun();
      const ports = await app.engine();
      const asked = emptyRequest(terminal, context, options, reference);
      const request = await fillIn(terminal, context, options, asked);
      const plan = await planRun(ports, request, obstacle);
      const copyOf = await ports.ledger.copyOf();
      const infos = [...plan.infos, ...(copyOf === null ? [] : [movedFrom(copyOf)])];
      if (options.json === true) await printJson(terminal, 'plan', { ...plan, infos });
      else await terminal.print(planPage(printStyle, { ...plan, infos }));
      if (options.quiet !== true) {
        const no = style.red(`It would be refused, with exit code ${plan.exitCode}: see above.`);
        terminal.say(plan.wouldRun ? style.green('It would run. Nothing was started or written.') : no);
      }
      return plan.exitCode;
    },
    { ledgerUse: 'foresee' },
  );
}

function movedFrom(folder: string): string {
  return `This ledger was copied from ${inline(folder)}; a run would make it one of its own.`;
}
