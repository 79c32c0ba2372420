/** What every refusal of the tool has to be, whatever it is about. */
import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { RunbookError } from '../../src/core/errors.ts';

/** @returns the error of a promise that must not hold, or of a function that must throw */
export async function failureOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  return null;
}

/** One sentence, with something to do, and none of `hidden` anywhere in it, causes included. */
export function expectRefusal(error: unknown, code: ErrorCode, hidden: readonly string[] = []): RunbookError {
  if (!(error instanceof RunbookError)) throw new Error(`no refusal but ${inspect(error)}`, { cause: error });
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/^[^\n]{5,400}\.$/);
  expect(error.fix).toMatch(/^[^\n]{5,400}$/);
  // It takes ten times as long as all the rest.
  const everything = hidden.length === 0 ? '' : inspect(error, { depth: 10, showHidden: true });
  for (const text of hidden) expect(everything.includes(text)).toBe(false);
  return error;
}

/** `ok`, or the code of the refusal: for tests that ask who gets in, and when. */
export async function outcomeOf(action: () => unknown, hidden: readonly string[] = []): Promise<string> {
  const error = await failureOf(action);
  if (error === null) return 'ok';
  const code = error instanceof RunbookError ? error.code : 'internal';
  return expectRefusal(error, code, hidden).code;
}
