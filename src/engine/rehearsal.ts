/** A run with stand-ins for programs: it needs no claims, and what comes of it does not count. */
import { RunbookError } from '../core/errors.ts';
import type { RunRequest } from '../core/run.ts';
import type { EnginePorts } from './ports.ts';

/** Names of stand-ins that are told. */
const SHOWN = 8;

/** @returns the sentence that the run begins with; null for a real one. @throws RunbookError `usage` */
export async function checkStubs({ facts }: EnginePorts, { stubs }: RunRequest): Promise<string | null> {
  if (stubs === null) return null;
  if (!stubs.startsWith('/')) throw useless(stubs, 'it is no absolute path');
  // A colon would cut the entry of PATH in two, and the real programs would be started.
  if (stubs.includes(':')) throw useless(stubs, 'a folder in PATH has no colon in its name');
  const programs = await facts.programs(stubs);
  if (programs === null) throw useless(stubs, 'it is no folder that can be read');
  if (programs.length === 0) throw useless(stubs, 'no program is in it');
  const more = programs.length > SHOWN ? ` and ${programs.length - SHOWN} more` : '';
  const names = `${programs.slice(0, SHOWN).join(', ')}${more}`;
  return `This is a rehearsal: of the programs, only ${names} ${programs.length === 1 ? 'is a stand-in' : 'are stand-ins'} (${stubs}), all others are real. Claims are not asked for, a token is not looked at, and how it ends does not count.`;
}

function useless(stubs: string, why: string): RunbookError {
  return new RunbookError('usage', `${stubs} cannot stand in for programs: ${why}.`, {
    fix: 'Name a folder with executable files, each called like the program that it stands in for.',
  });
}

/** The stand-ins come first in `PATH`, whoever sets it. */
export function withStubs(environment: Record<string, string>, stubs: string | null): Record<string, string> {
  if (stubs === null) return environment;
  return { ...environment, PATH: `${stubs}:${environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}` };
}
