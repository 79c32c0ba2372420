/** Of the doctor: settings and surroundings that work, and that somebody should know of. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { App } from '../../app.ts';
import { homeFolder, inHome } from '../../app/home.ts';
import { secretWeakness } from '../../app/authentication.ts';
import { SETTING_NAMES, SETTINGS } from '../../core/settings.ts';
import type { CommandContext } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { note, ok, problem } from './finding.ts';
import type { Finding } from './finding.ts';

export async function examineSettings(
  terminal: Terminal,
  { app, resolved }: CommandContext,
): Promise<readonly Finding[]> {
  const { settings, origins } = resolved;
  const { environment } = terminal;
  const labelOf = (name: (typeof SETTING_NAMES)[number]): string => origins.get(name)?.label ?? name;
  const found: Finding[] = [];
  if ((environment.get('NODE_DEBUG') ?? '') !== '')
    found.push(
      problem('settings', 'NODE_DEBUG is set, so every run is refused: Node would print secrets', 'Unset it.'),
    );
  if ((environment.get('NODE_OPTIONS') ?? '') !== '')
    found.push(
      note(
        'settings',
        'NODE_OPTIONS is set, and changes how this program runs',
        'Unset it where it is not meant for it.',
      ),
    );
  if (settings.enableLogin)
    found.push(
      note(
        'settings',
        `${labelOf('enableLogin')} lets \`serve\` give a token to whoever asks`,
        'Unset it, but on your own machine.',
      ),
    );
  if (settings.containment !== 'auto')
    found.push(
      note(
        'settings',
        `${labelOf('containment')} keeps runs from being held by more than \`${settings.containment}\``,
        'Unset it: the strongest there is will be taken.',
      ),
    );
  const wide = settings.passEnv.filter((pattern) => pattern === '*' || /^.{0,3}\*$/.test(pattern));
  if (wide.length > 0)
    found.push(
      note(
        'settings',
        `${labelOf('passEnv')} lets every script see your variables ${wide.join(', ')}`,
        'Name the variables, or declare them in the runbooks that need them.',
      ),
    );
  const weakness = settings.jwtSecret === null ? null : secretWeakness(settings.jwtSecret);
  if (weakness !== null)
    found.push(
      problem('settings', `${labelOf('jwtSecret')}: ${weakness.replace(/\.$/, '')}`, 'Make one: openssl rand -hex 32.'),
    );
  const readable = secretFiles(terminal, origins);
  if (readable.length > 0)
    found.push(
      note('settings', `others may read the secrets in ${readable.join(', ')}`, `chmod 600 ${readable.join(' ')}`),
    );
  found.push(...(await folders(app)));
  return found.length === 0 ? [ok('settings', 'none of them is risky')] : found;
}

/** Named by a `_FILE` variable, and open to more than their owner. */
function secretFiles(
  { environment, cwd }: Terminal,
  origins: CommandContext['resolved']['origins'],
): readonly string[] {
  return SETTING_NAMES.flatMap((name) => {
    const label = origins.get(name)?.label ?? '';
    const file = SETTINGS[name].secret && label.endsWith('_FILE') ? environment.get(label) : undefined;
    if (file === undefined) return [];
    const facts = statSync(path.resolve(cwd, file), { throwIfNoEntry: false });
    return facts !== undefined && (facts.mode & 0o044) !== 0 ? [file] : [];
  });
}

async function folders(app: App): Promise<readonly Finding[]> {
  const { runbooksDir } = app;
  if (runbooksDir === null || !(await app.isWritableByOthers(runbooksDir))) return [];
  const fix = `chmod o-w ${runbooksDir}`;
  return [note('runbooks', `everybody on this machine may change what is in ${runbooksDir}, and so what you run`, fix)];
}

/** Where shells look, and lines of start-up files that ask this program. */
export function examineCompletion({ environment }: Terminal): readonly Finding[] {
  const shell = path.basename(environment.get('SHELL') ?? '');
  const home = homeFolder(environment);
  const data = inHome(environment, 'XDG_DATA_HOME', '.local/share');
  const config = inHome(environment, 'XDG_CONFIG_HOME', '.config');
  if (home === null || data === null || config === null) return [];
  const places = PLACES[shell]?.(home, data, config);
  if (places === undefined) return [];
  const there = places.files.find((file) => statSync(file, { throwIfNoEntry: false }) !== undefined);
  const asked = places.startUp.find((file) => /\brunbook completion\b/.test(textOf(file)));
  const where = there ?? asked;
  if (where !== undefined) return [ok('completion', `of ${shell}: ${where}`)];
  return [
    note(
      'completion',
      `is not installed for ${shell}`,
      `Write it where ${shell} looks: runbook completion ${shell} > ${places.files[0] ?? ''}`,
    ),
  ];
}

type Places = (
  home: string,
  data: string,
  config: string,
) => {
  /** The first is where a user would put it. */
  readonly files: readonly string[];
  readonly startUp: readonly string[];
};

const PLACES: Readonly<Record<string, Places>> = {
  bash: (home, data) => ({
    files: [
      path.join(data, 'bash-completion/completions/runbook'),
      '/usr/local/share/bash-completion/completions/runbook',
      '/usr/share/bash-completion/completions/runbook',
      '/etc/bash_completion.d/runbook',
    ],
    startUp: [path.join(home, '.bashrc'), path.join(home, '.bash_profile'), path.join(home, '.bash_completion')],
  }),
  zsh: (home) => ({
    files: [
      '/usr/local/share/zsh/site-functions/_runbook',
      '/usr/share/zsh/site-functions/_runbook',
      '/usr/share/zsh/vendor-completions/_runbook',
    ],
    startUp: [path.join(home, '.zshrc')],
  }),
  fish: (_home, _data, config) => ({
    files: [
      path.join(config, 'fish/completions/runbook.fish'),
      '/usr/share/fish/vendor_completions.d/runbook.fish',
      '/etc/fish/completions/runbook.fish',
    ],
    startUp: [path.join(config, 'fish/config.fish')],
  }),
};

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
