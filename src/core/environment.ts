/** The environment of a script: what it gets, and where each declared variable's value comes from. Pure. */
import { checkValue } from './values.ts';
import { looksSecret } from './runbook.ts';
import type { EnvRequirement, Problem } from './runbook.ts';
import type { VariableRecord } from './run.ts';

/** Of the user's own environment a script sees these in the CLI, as they are. */
export const CLI_BASE: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_*',
  'TERM',
  'TZ',
  'TMPDIR',
  'XDG_*',
  'SSH_AUTH_SOCK',
  'KUBECONFIG',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
];

/** Of a server's environment. */
export const SERVER_BASE: readonly string[] = ['PATH', 'LANG', 'TZ'];

/** `AWS_*` matches by its beginning, `*_PROXY` by its end, anything else exactly. */
export function matchesName(pattern: string, name: string): boolean {
  if (pattern.length > 1 && pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** The part of `environment` whose names match one of the patterns. */
export function selectEnvironment(
  environment: ReadonlyMap<string, string>,
  patterns: readonly string[],
): Map<string, string> {
  return new Map([...environment].filter(([name]) => patterns.some((pattern) => matchesName(pattern, name))));
}

export type Origin = VariableRecord['origin'];
export interface ResolvedVariable {
  readonly value: string;
  readonly origin: Origin;
  /** Undeclared ones are null: optional variables that the caller gave by name. */
  readonly requirement: EnvRequirement | null;
}

export interface VariableSources {
  readonly given: ReadonlyMap<string, string>;
  /** Names that the caller passes on from the environment, declared or not. */
  readonly wanted: readonly string[];
  readonly envFile: ReadonlyMap<string, string>;
  /** The caller's whole environment; only declared names are looked up in it. */
  readonly caller: ReadonlyMap<string, string>;
  readonly generate: (length: number) => string;
}

/**
 * Values of the declared variables, in the order flag, env file, caller's environment, default, generated; and of the
 * names that the caller gave although the runbook does not declare them. `missing` may still be asked for.
 */
export function resolveVariables(
  requirements: readonly EnvRequirement[],
  sources: VariableSources,
): { readonly values: Map<string, ResolvedVariable>; readonly missing: readonly EnvRequirement[] } {
  const values = new Map<string, ResolvedVariable>();
  const missing: EnvRequirement[] = [];
  for (const requirement of requirements) {
    const found = lookUp(requirement, sources);
    if (found === null) missing.push(requirement);
    else values.set(requirement.name, { ...found, requirement });
  }
  const declared = new Set(requirements.map(({ name }) => name));
  const isUndeclared = (name: string): boolean => !declared.has(name);
  for (const [name, value] of sources.envFile) {
    if (isUndeclared(name)) values.set(name, { value, origin: 'env-file', requirement: null });
  }
  for (const name of sources.wanted.filter(isUndeclared)) {
    const value = sources.caller.get(name);
    if (value === undefined) missing.push(wantedOnly(name));
    else values.set(name, { value, origin: 'environment', requirement: null });
  }
  for (const [name, value] of sources.given) {
    if (isUndeclared(name)) values.set(name, { value, origin: 'given', requirement: null });
  }
  return { values, missing };
}

function wantedOnly(name: string): EnvRequirement {
  return { name, description: '', typed: false, type: 'text', secret: looksSecret(name), line: 1 };
}

function lookUp(requirement: EnvRequirement, sources: VariableSources): { value: string; origin: Origin } | null {
  const { name } = requirement;
  const places = [
    ['given', sources.given],
    ...(sources.wanted.includes(name) ? [['environment', sources.caller] as const] : []),
    ['env-file', sources.envFile],
    ['environment', sources.caller],
  ] as const;
  for (const [origin, map] of places) {
    const value = map.get(name);
    if (value !== undefined) return { value, origin };
  }
  if (requirement.default !== undefined) return { value: requirement.default, origin: 'default' };
  if (requirement.generate !== undefined) return { value: sources.generate(requirement.generate), origin: 'generated' };
  return null;
}

/** One problem a variable: missing, or of the wrong form. The value of a secret is never in a message. */
export function checkVariables(
  values: ReadonlyMap<string, ResolvedVariable>,
  missing: readonly EnvRequirement[],
): readonly Problem[] {
  const at = (line: number) => ({ severity: 'error', line, column: 1 }) as const;
  const absent = missing.map((requirement): Problem => ({
    ...at(requirement.line),
    rule: 'variable-missing',
    message: `Required environment variable not set: ${requirement.name}${requirement.description === '' ? '' : ` (${requirement.description})`}.`,
    fix: requirement.secret
      ? `Give it with \`--env ${requirement.name}\`, which takes it from your environment or asks for it.`
      : `Give it with \`--env ${requirement.name}=VALUE\`, or set it in your environment.`,
    about: requirement.name,
  }));
  const wrong = [...values].flatMap(([name, { value, requirement }]): Problem[] => {
    const reason = checkValue(requirement ?? { name, type: 'text' }, value);
    return reason === null
      ? []
      : [
          {
            ...at(requirement?.line ?? 1),
            rule: 'variable-wrong',
            message: reason,
            fix: 'Give a value of the form that the runbook declares.',
            about: name,
          },
        ];
  });
  return [...absent, ...wrong];
}

/** What the record keeps: the value of typed, non-secret variables; of all others only a fingerprint. */
export function recordVariables(
  values: ReadonlyMap<string, ResolvedVariable>,
  fingerprint: (value: string) => string,
): readonly VariableRecord[] {
  return [...values]
    .map(([name, { value, origin, requirement }]): VariableRecord =>
      requirement !== null && requirement.typed && !requirement.secret
        ? { name, origin, value }
        : { name, origin, hmac: fingerprint(value) },
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
