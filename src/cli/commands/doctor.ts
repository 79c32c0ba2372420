/** `runbook doctor`: what this machine can do for a run, and what to do where it cannot. Nothing of a runbook is run. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { App } from '../../app.ts';
import { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';
import type { EnclosureRequest } from '../../core/ports.ts';
import { INTERPRETER_NAMES, interpreterOf } from '../../core/interpreters.ts';
import { VERSION } from '../../version.ts';
import type { EnginePorts } from '../../engine/ports.ts';
import { printJson, withApp } from '../context.ts';
import type { CommandContext, CommonOptions } from '../context.ts';
import { inline, renderTable } from '../render.ts';
import type { Terminal } from '../terminal.ts';

interface Finding {
  readonly subject: string;
  readonly state: 'ok' | 'note' | 'problem';
  /** What there is, or what is wrong; one sentence. */
  readonly text: string;
  /** What to do; empty where all is well. */
  readonly fix: string;
}

export async function doctorCommand(terminal: Terminal, options: CommonOptions): Promise<number> {
  return await withApp(
    terminal,
    options,
    async (context) => {
      const findings = await examine(context);
      const isWell = findings.every(({ state }) => state !== 'problem');
      if (options.json === true) await printJson(terminal, 'doctor', { ok: isWell, findings });
      else await print(terminal, context, findings);
      return isWell ? 0 : 69;
    },
    { ledgerUse: 'look' },
  );
}

async function examine({ app }: CommandContext): Promise<readonly Finding[]> {
  const about: Finding[] = [
    { subject: 'runbook', state: 'ok', text: `${VERSION}, on Node ${process.versions.node}`, fix: '' },
  ];
  try {
    const ports = await app.engine();
    about.push(await ledger(app));
    return [...about, ...(await containment(ports)), ...(await interpreters(ports)), whoRuns(ports)];
  } catch (error) {
    return [...about, problem('ledger', error)];
  }
}

/** Whether a run can be recorded. None is made for that. @throws RunbookError of `App.ledger` and of `tryChange` */
async function ledger(app: App): Promise<Finding> {
  const { settings, stateDir } = app;
  const finding = (state: Finding['state'], text: string, fix = ''): Finding => ({
    subject: 'ledger',
    state,
    text,
    fix,
  });
  if (settings.history === 'none') return finding('note', 'none: runs leave no record (history is none)');
  if (!(await app.hasLedger())) {
    if (!canBeMade(stateDir))
      return finding('problem', `none in ${stateDir}, and none can be made there`, `${MAKE_WRITABLE}.`);
    const fix = 'If there should be one, name its folder with --state-dir.';
    return finding('note', `none in ${stateDir} yet: the first run makes one`, fix);
  }
  const opened = await app.ledger();
  const home = await opened.copyOf();
  if (home !== null)
    return finding('note', `in ${stateDir}, a copy of the one in ${home}: it is one of its own with the first run`);
  if ((await app.whyLeftAlone()) !== null)
    return finding(
      'problem',
      `in ${stateDir}, where it cannot be written`,
      `${MAKE_WRITABLE} and see that the disk has room.`,
    );
  try {
    await opened.tryChange();
  } catch (error) {
    // Somebody writes just now.
    if (!(error instanceof RunbookError && error.code === 'busy')) throw error;
  }
  return finding('ok', `in ${stateDir}`);
}

const MAKE_WRITABLE = 'Choose another folder with --state-dir, or make this one writable';

function canBeMade(folder: string): boolean {
  if (!existsSync(folder)) return folder !== dirname(folder) && canBeMade(dirname(folder));
  try {
    accessSync(folder, constants.W_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

/** What a run with every limit would get, and a terminal. */
async function containment(ports: EnginePorts): Promise<readonly Finding[]> {
  const request: EnclosureRequest = {
    runId: ports.runIds.next(),
    limits: { memoryBytes: 2 ** 30, processes: 1000, fileBytes: null, openFiles: null },
    terminal: false,
  };
  const found: Finding[] = [];
  try {
    const enclosure = await ports.executor.open(request);
    await enclosure.close();
    const { rung, reaper, refused, cgroups } = enclosure.containment;
    const by = [reaper === null ? '' : `by ${reaper}`, cgroups.length === 0 ? '' : `in ${cgroups.join(' and ')}`];
    found.push({
      subject: 'containment',
      state: rung === 'process-group' ? 'problem' : 'ok',
      text: [rung, ...by, rung === 'process-group' ? '(best effort)' : '(proven)']
        .filter((part) => part !== '')
        .join(' '),
      fix:
        rung === 'process-group'
          ? 'Install perl or python3: without one, what leaves the group of a script can survive it.'
          : '',
    });
    for (const reason of refused)
      found.push({ subject: 'containment', state: 'note', text: `no higher rung: ${reason}`, fix: '' });
    const { unenforced } = enclosure;
    found.push({
      subject: 'limits',
      state: unenforced.length === 0 ? 'ok' : 'note',
      text:
        unenforced.length === 0
          ? 'memory and processes of a run can be limited'
          : `a runbook’s limit of ${unenforced.join(' and ')} cannot be held`,
      fix:
        unenforced.length === 0
          ? ''
          : 'Run where a control group can be made (docs/containment.md); --strict refuses such a run.',
    });
  } catch (error) {
    found.push(problem('containment', error));
  }
  try {
    await (await ports.executor.open({ ...request, runId: ports.runIds.next(), terminal: true })).close();
    found.push({ subject: 'terminal', state: 'ok', text: 'steps with `tty: true` can have one', fix: '' });
  } catch (error) {
    found.push({ ...problem('terminal', error), state: 'note' });
  }
  return found;
}

async function interpreters(ports: EnginePorts): Promise<readonly Finding[]> {
  const searchPath = ports.callerEnvironment.get('PATH') ?? '';
  const found: Finding[] = [];
  for (const name of INTERPRETER_NAMES) {
    const path = await ports.facts.interpreter(name, searchPath);
    found.push({
      subject: name,
      state: path === null ? 'note' : 'ok',
      text: path ?? 'is not installed; runbooks that are written for it are refused',
      fix: path === null ? interpreterOf(name).install : '',
    });
  }
  return found;
}

function whoRuns({ osUser }: EnginePorts): Finding {
  const who = osUser ?? 'this user';
  return {
    subject: 'scripts',
    state: osUser === 'root' ? 'note' : 'ok',
    text: `run as ${who}, and can do and read whatever ${who} can`,
    fix: osUser === 'root' ? 'Use a user who can do no more than the runbooks need.' : '',
  };
}

function problem(subject: string, error: unknown): Finding {
  const fix = error instanceof RunbookError ? error.fix : '';
  return { subject, state: 'problem', text: messageOf(error), fix };
}

async function print(terminal: Terminal, { printStyle }: CommandContext, findings: readonly Finding[]): Promise<void> {
  const paint = {
    ok: (text: string) => printStyle.green(text),
    note: (text: string) => printStyle.yellow(text),
    problem: (text: string) => printStyle.red(text),
  };
  const rows = findings.map(({ subject, text }) => [subject, inline(text)]);
  const lines = renderTable(rows).split('\n');
  for (const [index, { state, fix }] of findings.entries()) {
    await terminal.print(`${paint[state](state.padEnd(7))}  ${lines[index] ?? ''}\n`);
    if (fix !== '') await terminal.print(`         fix: ${inline(fix)}\n`);
  }
}
