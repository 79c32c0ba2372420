/** Of the doctor: what holds a run here, and what its scripts are written for. The only part that starts something. */
import type { EnclosureRequest } from '../../core/ports.ts';
import { INTERPRETER_NAMES, interpreterOf } from '../../core/interpreters.ts';
import type { EnginePorts } from '../../engine/ports.ts';
import { failure, note, ok } from './finding.ts';
import type { Finding } from './finding.ts';

/** What a run with every limit would get, and a terminal. */
export async function examineContainment(ports: EnginePorts): Promise<readonly Finding[]> {
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
      place: null,
      text: [rung, ...by, rung === 'process-group' ? '(best effort)' : '(proven)']
        .filter((part) => part !== '')
        .join(' '),
      fix:
        rung === 'process-group'
          ? 'Install perl or python3: without one, what leaves the group of a script can survive it.'
          : '',
    });
    for (const reason of refused) found.push(note('containment', `no higher rung: ${reason}`, ''));
    const { unenforced } = enclosure;
    found.push(
      unenforced.length === 0
        ? ok('limits', 'memory and processes of a run can be limited')
        : note(
            'limits',
            `a runbook’s limit of ${unenforced.join(' and ')} cannot be held`,
            'Run where a control group can be made (docs/containment.md); --strict refuses such a run.',
          ),
    );
  } catch (error) {
    found.push(failure('containment', error));
  }
  try {
    await (await ports.executor.open({ ...request, runId: ports.runIds.next(), terminal: true })).close();
    found.push(ok('terminal', 'steps with `tty: true` can have one'));
  } catch (error) {
    found.push({ ...failure('terminal', error), state: 'note' });
  }
  return found;
}

export async function examineInterpreters({ callerEnvironment, facts }: EnginePorts): Promise<readonly Finding[]> {
  const searchPath = callerEnvironment.get('PATH') ?? '';
  const found: Finding[] = [];
  for (const name of INTERPRETER_NAMES) {
    const path = await facts.interpreter(name, searchPath);
    found.push(
      path === null
        ? note(name, 'is not installed; runbooks that are written for it are refused', interpreterOf(name).install)
        : ok(name, path),
    );
  }
  return found;
}
