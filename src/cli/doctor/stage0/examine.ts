/** `runbook doctor --stage0`: what would be noticed when a Stage0 deployment is taken over. Nothing is started or changed. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { RunbookError } from '../../../core/errors.ts';
import { listRunbooks } from '../../../engine/queries.ts';
import { withApp } from '../../context.ts';
import type { CommonOptions } from '../../context.ts';
import type { Terminal } from '../../terminal.ts';
import { readTextFile } from '../../text-file.ts';
import { readEnvFiles } from '../../variables.ts';
import { failure, note } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { parseCompose } from './compose.ts';
import type { Service } from './compose.ts';
import { examineDeployment, isApi, METRICS, runbooksVolume } from './deployment.ts';
import { examineRunbooks } from './runbooks.ts';
import { examineVariables, othersOf, settingsOf } from './variables.ts';
import type { Environment } from './variables.ts';

const MAX_COMPOSE_BYTES = 1024 ** 2;

export interface Stage0Report {
  readonly ofDeployment: readonly Finding[];
  readonly ofRunbooks: readonly Finding[];
}

/** @param folder of the runbooks; undefined: that of the volume. @throws RunbookError `not-found`, `usage` */
export async function examineStage0(
  terminal: Terminal,
  options: CommonOptions,
  file: string,
  folder: string | undefined,
): Promise<Stage0Report> {
  const { cwd, environment: caller } = terminal;
  const base = path.dirname(path.resolve(cwd, file));
  const text = readTextFile(file, cwd, '--stage0', MAX_COMPOSE_BYTES);
  const beside = path.join(base, '.env');
  // As compose reads it: what is set in the shell wins.
  const outside = new Map([...(existsSync(beside) ? readEnvFiles([beside], base) : []), ...caller]);
  const services = parseCompose(text, file, outside).filter(isApi);
  if (services.length === 0)
    throw new RunbookError('usage', `No service of ${file} looks like the API of Stage0.`, {
      fix: 'Name the compose file that starts stage0_runbook_api, or an image that was made from it.',
    });
  const examined = services.map((service) => {
    const { environment, findings } = environmentOf(service, file, base);
    const own = [...findings, ...examineVariables(environment), ...examineDeployment(service, environment, file)];
    return { service, environment, findings: own };
  });
  const names = (of: (environment: Environment) => ReadonlySet<string>): ReadonlySet<string> =>
    new Set(examined.flatMap(({ environment }) => [...of(environment)]));
  const surrounding = { seen: names(othersOf), settings: names(settingsOf) };
  const folders =
    folder === undefined
      ? new Set(examined.flatMap(({ service, environment }) => folderOf(service, environment, base)))
      : new Set([path.resolve(cwd, folder)]);
  const ofRunbooks: Finding[] = [];
  for (const one of folders) ofRunbooks.push(...(await examineFolder(terminal, options, one, surrounding)));
  if (folders.size === 0)
    ofRunbooks.push(
      note(
        'runbooks',
        'they are in the image, and were not looked at',
        `Name their folder: runbook doctor --stage0 ${file} FOLDER.`,
      ),
    );
  return { ofDeployment: [...examined.flatMap(({ findings }) => findings), METRICS], ofRunbooks };
}

function environmentOf(
  service: Service,
  file: string,
  base: string,
): { readonly environment: Environment; readonly findings: readonly Finding[] } {
  const environment = new Map<string, { value: string | null; line: number; file: string }>();
  const findings: Finding[] = [];
  for (const name of service.envFiles) {
    try {
      for (const [variable, value] of readEnvFiles([name], base))
        environment.set(variable, { value, line: 1, file: name });
    } catch (error) {
      if (!(error instanceof RunbookError)) throw error;
      findings.push({ ...failure('env_file', error), state: 'note', place: `${file}:${service.line}` });
    }
  }
  for (const [variable, said] of service.environment) environment.set(variable, { ...said, file });
  return { environment, findings };
}

/** On this machine, where a folder is mounted. */
function folderOf(service: Service, environment: Environment, base: string): readonly string[] {
  const { folder, volume } = runbooksVolume(service, environment);
  const source = volume?.value.source ?? null;
  // Anything else is the name of a volume.
  if (volume === null || source === null || !/^[./~]/.test(source)) return [];
  const below = path.posix.relative(volume.value.target, folder);
  return [path.join(path.resolve(base, source), below)];
}

async function examineFolder(
  terminal: Terminal,
  options: CommonOptions,
  folder: string,
  surrounding: Parameters<typeof examineRunbooks>[1],
): Promise<readonly Finding[]> {
  try {
    return await withApp(
      terminal,
      { ...options, runbooksDir: folder },
      async ({ app }) => examineRunbooks(await listRunbooks(app), surrounding),
      { ledgerUse: 'foresee' },
    );
  } catch (error) {
    if (error instanceof RunbookError) return [failure('runbooks', error)];
    throw error;
  }
}
