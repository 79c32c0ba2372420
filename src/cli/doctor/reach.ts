/** Of the doctor: what a script could do beyond its runbook, because of who runs it and where. */
import type { App } from '../../app.ts';
import { note, ok } from './finding.ts';
import type { Finding } from './finding.ts';

/** So many names are told. */
const SHOWN = 6;

export async function examineReach(app: App, osUser: string | null): Promise<readonly Finding[]> {
  const { isRoot, sudo, daemons, sshAgent, files, variables } = await app.reach();
  const who = osUser ?? 'this user';
  const found: Finding[] = [
    isRoot
      ? note(
          'scripts',
          `run as ${who}, and can do and read whatever ${who} can`,
          'Use a user who can do no more than the runbooks need.',
        )
      : ok('scripts', `run as ${who}, and can do and read whatever ${who} can`),
  ];
  // Root needs none of these.
  if (!isRoot && sudo === true)
    found.push(note('scripts', 'become root by sudo without a password', 'Allow in sudoers only what runbooks need.'));
  if (!isRoot && daemons.length > 0)
    found.push(
      note(
        'scripts',
        `may use ${list(daemons)}, which makes them root, and what they start there is not contained`,
        'Take the user out of that group, or use a daemon without root.',
      ),
    );
  if (isRoot && daemons.length > 0)
    found.push(
      note(
        'scripts',
        `may use ${list(daemons)}, and containers that they start there are not contained`,
        'Let runbooks end their containers themselves, in a step of their own.',
      ),
    );
  if (sshAgent)
    found.push(
      note(
        'scripts',
        'may sign with the keys of your ssh agent (SSH_AUTH_SOCK)',
        'Unset it where no runbook needs it.',
      ),
    );
  if (files.length > 0)
    found.push(
      note('scripts', `may read ${list(files)}`, 'Use a user without them for runbooks that do not need them.'),
    );
  if (variables.length > 0)
    found.push(
      note(
        'scripts',
        `do not get ${list(variables)} unless they are declared, but may read them from your shell by /proc`,
        'Set them only in the shell, or for the command, that needs them.',
      ),
    );
  return found;
}

function list(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}
