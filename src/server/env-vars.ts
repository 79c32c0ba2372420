/** `env_vars` of a request body, as the engine takes them. */
import { CONTRACT_NAMES } from '../core/contract.ts';
import { HttpError } from './problem.ts';

const MAX_DEPTH = 16;

export interface GivenVariables {
  readonly given: ReadonlyMap<string, string>;
  /** Names that Stage0 reserves: they are passed over, and this says so. */
  readonly warnings: readonly string[];
}

/**
 * @param body null or undefined: there was none
 * @param isBoolean whether the runbook declares a variable to be `true` or `false`
 * @throws HttpError 400
 */
export function readEnvVars(body: unknown, isBoolean: (name: string) => boolean): GivenVariables {
  if (body === undefined || body === null) return { given: new Map(), warnings: [] };
  if (!isObject(body)) throw mistake('The body is not a JSON object.', 'Send {"env_vars": {"NAME": "value"}}.');
  checkDepth(body);
  const vars = body['env_vars'];
  if (vars === undefined || vars === null) return { given: new Map(), warnings: [] };
  if (!isObject(vars)) throw mistake('env_vars is not a JSON object.', 'Send {"env_vars": {"NAME": "value"}}.');
  const given = new Map<string, string>();
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(vars)) {
    if (CONTRACT_NAMES.has(name))
      warnings.push(`${name} belongs to runbook itself; the value given for it was ignored.`);
    else given.set(name, textOf(name, value, isBoolean));
  }
  return { given, warnings };
}

/** As Stage0 takes what JSON has besides text: in the spelling of Python, but where the runbook knows what a boolean is. */
function textOf(name: string, value: unknown, isBoolean: (name: string) => boolean): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return JSON.stringify(value);
  if (typeof value === 'boolean') return isBoolean(name) ? String(value) : value ? 'True' : 'False';
  throw mistake(
    `The value of ${JSON.stringify(name).slice(0, 80)} is neither text, a number, true, false nor null.`,
    'Send it as text.',
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The size of the body is bounded, so a loop over all of it is. */
function checkDepth(body: unknown): void {
  let level: readonly unknown[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw mistake(`The body is nested deeper than ${MAX_DEPTH} levels.`, 'Send it flat.');
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

function mistake(message: string, fix: string): HttpError {
  return new HttpError(400, 'usage', message, { fix });
}
