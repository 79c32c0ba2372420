/** `env_vars` of a request body, as the engine takes them. */
import { CONTRACT_NAMES } from '../core/contract.ts';
import { HttpError } from './problem.ts';

export interface GivenVariables {
  readonly given: ReadonlyMap<string, string>;
  /** Names that Stage0 reserves: they are passed over, and this says so. */
  readonly warnings: readonly string[];
}

/** Each is a part of the record, and of the environment of every process of the run. */
const MAX_VARIABLES = 500;

const NONE: GivenVariables = { given: new Map(), warnings: [] };

/**
 * @param body null or undefined: there was none
 * @param isBoolean whether the runbook declares a variable to be `true` or `false`
 * @throws HttpError 400
 */
export function readEnvVars(body: unknown, isBoolean: (name: string) => boolean): GivenVariables {
  if (body === undefined || body === null) return NONE;
  if (!isObject(body)) throw mistake('The body is not a JSON object.', 'Send {"env_vars": {"NAME": "value"}}.');
  const vars = body['env_vars'];
  if (isNothing(vars)) return NONE;
  if (!isObject(vars)) throw mistake('env_vars is not a JSON object.', 'Send {"env_vars": {"NAME": "value"}}.');
  if (Object.keys(vars).length > MAX_VARIABLES)
    throw mistake(
      `There are more than ${MAX_VARIABLES} variables.`,
      'Send what the script needs; more belongs into a file.',
    );
  const given = new Map<string, string>();
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(vars)) {
    if (CONTRACT_NAMES.has(name))
      warnings.push(`${name} belongs to runbook itself; the value given for it was ignored.`);
    else given.set(name, textOf(name, value, isBoolean));
  }
  return { given, warnings };
}

/** What Python takes for nothing, as Stage0 does. */
function isNothing(value: unknown): boolean {
  return !Array.isArray(value) ? !value : value.length === 0;
}

/** As Stage0 takes what JSON has besides text: in the spelling of Python, but where the runbook knows what a boolean is. */
function textOf(name: string, value: unknown, isBoolean: (name: string) => boolean): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    // An id that has become another one by the way would make the script act on something else.
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
      return JSON.stringify(value);
    throw mistake(
      `The value of ${JSON.stringify(name).slice(0, 80)} is a number that JSON does not carry exactly.`,
      'Send it as text.',
    );
  }
  if (typeof value === 'boolean') return isBoolean(name) ? String(value) : value ? 'True' : 'False';
  throw mistake(
    `The value of ${JSON.stringify(name).slice(0, 80)} is neither text, a number, true, false nor null.`,
    'Send it as text.',
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mistake(message: string, fix: string): HttpError {
  return new HttpError(400, 'usage', message, { fix });
}
