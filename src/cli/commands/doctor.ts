/** `runbook doctor`: what this machine can do for a run, and what to do where it cannot. Nothing is made or changed. */
import { ERRORS, RunbookError } from '../../core/errors.ts';
import { VERSION } from '../../version.ts';
import { printJson, withApp } from '../context.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { failure, ok } from '../doctor/finding.ts';
import type { Finding } from '../doctor/finding.ts';
import { examineLedger, examineStorage } from '../doctor/ledger.ts';
import { examineContainment, examineInterpreters } from '../doctor/machine.ts';
import { examineReach } from '../doctor/reach.ts';
import { examineCompletion, examineSettings } from '../doctor/settings.ts';
import { createStyle, inline, renderTable } from '../render.ts';
import type { Terminal } from '../terminal.ts';

export interface DoctorOptions extends CommonOptions {
  /** A compose file. */
  readonly stage0?: string;
}

/** @param folder of the runbooks of a Stage0 deployment */
export async function doctorCommand(
  terminal: Terminal,
  folder: string | undefined,
  options: DoctorOptions,
): Promise<number> {
  if (options.stage0 !== undefined) return await stage0Command(terminal, options.stage0, folder, options);
  if (folder !== undefined)
    throw new RunbookError('usage', 'A folder is named, and no compose file.', {
      fix: 'Write `runbook doctor --stage0 COMPOSE.yaml FOLDER`.',
    });
  const findings = await examine(terminal, options);
  const isWell = findings.every(({ state }) => state !== 'problem');
  if (options.json === true) await printJson(terminal, 'doctor', { ok: isWell, findings });
  else await printFindings(terminal, options, findings);
  return isWell ? 0 : ERRORS.unavailable.exit;
}

/** @returns 78 where something of the deployment needs a hand, 65 where only runbooks do */
async function stage0Command(
  terminal: Terminal,
  file: string,
  folder: string | undefined,
  options: CommonOptions,
): Promise<number> {
  const { examineStage0 } = await import('../doctor/stage0/examine.ts');
  const { ofDeployment, ofRunbooks } = await examineStage0(terminal, options, file, folder);
  const findings = [...ofDeployment, ...ofRunbooks];
  const isWell = (some: readonly Finding[]): boolean => some.every(({ state }) => state !== 'problem');
  if (options.json === true) await printJson(terminal, 'doctor', { ok: isWell(findings), findings });
  else await printFindings(terminal, options, findings);
  if (!isWell(ofDeployment)) return ERRORS.settings.exit;
  return isWell(ofRunbooks) ? 0 : ERRORS['runbook-invalid'].exit;
}

async function examine(terminal: Terminal, options: CommonOptions): Promise<readonly Finding[]> {
  const found = [ok('runbook', `${VERSION}, on Node ${process.versions.node}`)];
  const part = async (subject: string, look: () => Promise<readonly Finding[]>): Promise<void> => {
    // What goes wrong in one of them hides none of the others.
    found.push(...(await look().catch((error: unknown) => [failure(subject, error)])));
  };
  const ofLedger = async ({ app }: CommandContext): Promise<void> => {
    await part('ledger', async () => await examineLedger(app));
  };
  await withApp(terminal, options, ofLedger, { ledgerUse: 'look' });
  const ofOthers = async (context: CommandContext): Promise<void> => {
    const { app } = context;
    // Also with a ledger that cannot be opened.
    const ports = await app.engine();
    await part('storage', async () => await examineStorage(app, ports));
    await part('containment', async () => await examineContainment(ports));
    await part('interpreters', async () => await examineInterpreters(ports));
    await part('scripts', async () => await examineReach(app, ports.osUser));
    await part('settings', async () => await examineSettings(terminal, context));
  };
  await withApp(terminal, options, ofOthers, { ledgerUse: 'foresee' });
  return [...found, ...examineCompletion(terminal)];
}

async function printFindings(terminal: Terminal, options: CommonOptions, findings: readonly Finding[]): Promise<void> {
  const printStyle = createStyle(terminal.color.stdout && options.color !== false);
  const paint = {
    ok: (text: string) => printStyle.green(text),
    note: (text: string) => printStyle.yellow(text),
    problem: (text: string) => printStyle.red(text),
  };
  const rows = findings.map(({ subject, text }) => [subject, inline(text)]);
  const lines = renderTable(rows).split('\n');
  for (const [index, { state, fix, place }] of findings.entries()) {
    if (place !== null) lines[index] = `${lines[index] ?? ''} ${printStyle.dim(`(${inline(place)})`)}`;
    await terminal.print(`${paint[state](state.padEnd(7))}  ${lines[index] ?? ''}\n`);
    if (fix !== '') await terminal.print(`         fix: ${inline(fix)}\n`);
  }
}
