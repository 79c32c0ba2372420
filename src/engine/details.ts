/** What was decided for a run, in sentences for who wants to know exactly: names, limits and places, never values. */
import { formatDuration, formatSize } from '../core/units.ts';
import type { Draft } from './draft.ts';
import type { Accepted, Place } from './place.ts';
import type { EnginePorts } from './ports.ts';
import type { Plan } from './requirements.ts';

/** Of a run that nothing stands in the way of. */
export function describeDecision(
  { limits }: Pick<EnginePorts, 'limits'>,
  { identity, request, parsed }: Draft,
  { document, runbook, plan }: Accepted,
): readonly string[] {
  const who =
    identity === null
      ? 'nobody, since there is no token'
      : `${identity.subject}, roles ${identity.roles.join(', ') || 'none'}, token of ${identity.issuer ?? 'no issuer'}`;
  const whose =
    plan.timeoutMs === null
      ? 'nobody'
      : plan.timeoutMs === request.timeoutMs
        ? '--timeout'
        : plan.timeoutMs === runbook.limits.timeoutMs
          ? 'the runbook'
          : plan.timeoutMs === limits.maxTimeoutMs
            ? 'the setting max_timeout'
            : 'the setting timeout';
  const timeout = plan.timeoutMs === null ? 'none' : `${formatDuration(plan.timeoutMs)}, by ${whose}`;
  return [
    `document: ${document.displayPath}, sha256 ${parsed?.digest ?? ''}`,
    `caller: ${who}`,
    `time limit: ${timeout}`,
    `other limits: ${describeLimits(plan)}`,
    `variables: ${list([...plan.variables].map(([name, { origin }]) => `${name} (${origin})`))}`,
    `interpreters: ${list([...plan.interpreters].map(([name, path]) => `${name} ${path}`))}`,
  ];
}

function describeLimits({ limits, maxOutputBytes, concurrency }: Plan): string {
  const { memoryBytes, processes, fileBytes, openFiles } = limits;
  return list([
    `output kept ${formatSize(maxOutputBytes)}`,
    ...(memoryBytes === null ? [] : [`memory ${formatSize(memoryBytes)}`]),
    ...(processes === null ? [] : [`processes ${processes}`]),
    ...(fileBytes === null ? [] : [`file size ${formatSize(fileBytes)}`]),
    ...(openFiles === null ? [] : [`open files ${openFiles}`]),
    ...(concurrency === null ? [] : [`runs at once ${concurrency}`]),
  ]);
}

/** Once the run has its place. */
export function describePlace({ workFolder }: Place): readonly string[] {
  return [`work folder: ${workFolder.path}`];
}

/** Names that a script finds in its environment. */
export function describeEnvironment(env: Readonly<Record<string, string>>): string {
  return `environment: ${list(Object.keys(env).toSorted())}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}
