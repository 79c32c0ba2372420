/** What a script finds in its environment. */
import { contractEnvironment } from '../core/contract.ts';
import { deniedFromAnybody } from '../core/environment-names.ts';
import { selectEnvironment } from '../core/environment.ts';
import type { WorkFolder } from '../core/ports.ts';
import type { Step } from '../core/runbook.ts';
import { withStubs } from './rehearsal.ts';
import type { RunContext } from './script.ts';

/** Later lines win: the caller's base, what earlier steps passed on, the runbook's variables, and last the contract. */
export function environmentOf(
  context: Pick<RunContext, 'ports' | 'draft' | 'plan' | 'document' | 'token'> & {
    readonly workFolder: Pick<WorkFolder, 'path' | 'hostPath'>;
  },
  step: Step,
  files: { readonly outputs: string; readonly masks: string },
  passedOn: ReadonlyMap<string, string>,
): Record<string, string> {
  const { ports, draft, plan, document, workFolder } = context;
  const { request } = draft;
  const caller = [...selectEnvironment(ports.callerEnvironment, [...ports.baseEnvironment, ...request.passEnv])];
  const environment: Record<string, string> = {
    ...Object.fromEntries(caller.filter(([name]) => !deniedFromAnybody(name))),
    ...(ports.homeIsWorkFolder ? { HOME: workFolder.path } : {}),
    ...(typeof request.traceParent === 'string' ? { TRACEPARENT: request.traceParent } : {}),
    ...Object.fromEntries(passedOn),
    ...Object.fromEntries([...plan.variables].map(([name, { value }]) => [name, value])),
    ...ports.childSettings,
    ...contractEnvironment({
      runId: draft.runId,
      step: step.name,
      outputFile: files.outputs,
      maskFile: files.masks,
      correlationId: draft.correlationId,
      callChain: [...request.callChain, document.fileName],
      token: context.token,
      apiUrl: ports.apiUrl,
      execDirHost: workFolder.hostPath,
      stubs: request.stubs,
    }),
  };
  return withStubs(environment, request.stubs);
}
