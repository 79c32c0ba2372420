/** Of a Stage0 deployment: how its container is started, what it can write, and who reaches it. */
import type { Finding } from '../finding.ts';
import { note, ok, problem } from '../finding.ts';
import type { Said, Service, Volume } from './compose.ts';
import type { Environment } from './variables.ts';

/** The API, whatever the image is called by now; the page of Stage0 has one of its names, too. */
export function isApi({ image, environment, command }: Service): boolean {
  if (/stage0[\w-]*_spa\b/.test(image) || environment.has('IDP_LOGIN_URI')) return false;
  const ours = ['RUNBOOKS_DIR', 'EXECUTION_DIR', 'SCRIPT_TIMEOUT_SECONDS', 'ENABLE_LOGIN', 'JWT_SECRET', 'MOUNT_DIR'];
  return (
    /stage0_run(?:book|ner)/.test(image) ||
    /gunicorn/.test(command?.value ?? '') ||
    ours.some((name) => environment.has(name))
  );
}

/** The volume that the folder lies in, and the path of the folder in the container. */
export function runbooksVolume(
  { volumes, workingDir }: Service,
  environment: Environment,
): { readonly folder: string; readonly volume: Said<Volume> | null } {
  const set = environment.get('RUNBOOKS_DIR')?.value ?? environment.get('RUNBOOK_RUNBOOKS_DIR')?.value;
  const folder = resolvePath(set ?? '/runbooks', workingDir ?? '/opt/stage0/runner');
  return { folder, volume: volumes.find(({ value }) => isBelow(folder, value.target)) ?? null };
}

export function examineDeployment(service: Service, environment: Environment, file: string): readonly Finding[] {
  const at = (line: number): string => `${file}:${line}`;
  return [
    ...start(service, at),
    ...user(service, at),
    ...history(service, environment, at),
    ...state(service, environment, at),
    ...reach(service, environment, at),
    ...health(service, at),
  ];
}

type At = (line: number) => string;

function start({ command, entrypoint, image, line, volumes }: Service, at: At): readonly Finding[] {
  const found: Finding[] = [];
  if (/stage0/.test(image))
    found.push(problem('image', `${image} is Stage0’s`, 'Name an image that has `runbook` in it.', at(line)));
  const said = command ?? entrypoint;
  const words = said?.value ?? '';
  if (said !== null && /gunicorn|pipenv|python|flask/.test(words))
    found.push(problem('command', `it starts Stage0’s server: ${words}`, 'Write `command: serve`.', at(said.line)));
  else if (!/\bserve\b/.test(words))
    found.push(
      problem('command', 'nothing says that the server is to be started', 'Write `command: serve`.', at(line)),
    );
  const socket = volumes.find(({ value }) => /(?:docker|podman|containerd)\.sock$/.test(value.target));
  if (socket !== undefined)
    found.push(
      note(
        'containment',
        `scripts may use ${socket.value.target}: containers that they start there are not ended with their run`,
        'Let runbooks end their containers themselves.',
        at(socket.line),
      ),
    );
  return found;
}

function user({ user: said, volumes, line }: Service, at: At): readonly Finding[] {
  const uid = said?.value ?? '';
  if (said === null || /^(?:0|root)(?::|$)/.test(uid))
    return [
      note(
        'user',
        'it runs as root, as Stage0’s image did',
        'Set `user:` to one who can do no more than the runbooks need.',
        at(said?.line ?? line),
      ),
    ];
  const written = volumes.filter(({ value }) => !value.readOnly && !value.target.endsWith('.sock'));
  return written.length === 0
    ? []
    : [
        note(
          'user',
          `it runs as ${uid}, who must be able to write ${written.map(({ value }) => value.target).join(', ')}`,
          `Give the folders to that user: chown ${uid.split(':')[0] ?? ''}.`,
          at(said.line),
        ),
      ];
}

function history(service: Service, environment: Environment, at: At): readonly Finding[] {
  const { folder, volume } = runbooksVolume(service, environment);
  if (environment.get('RUNBOOK_RUNBOOKS_DIR') === undefined && environment.get('RUNBOOKS_DIR') === undefined)
    return [
      note(
        'runbooks',
        'RUNBOOKS_DIR is not set: the nearest runbooks/ from the working folder counts, else /runbooks',
        'Set it.',
        at(service.line),
      ),
    ];
  if (volume === null)
    return [
      ok(
        'history',
        `${folder} is in the image: entries in its documents are gone with the container, records are not`,
        at(service.line),
      ),
    ];
  if (volume.value.readOnly)
    return [
      note(
        'history',
        `${folder} is mounted read-only: runs are recorded in the ledger, and GET shows them under # History`,
        'Mount it so that it can be written where entries belong in the files.',
        at(volume.line),
      ),
    ];
  return [ok('history', `entries are appended to the documents in ${folder}, as before`, at(volume.line))];
}

/** What Stage0 did not have. */
function state({ volumes, line }: Service, environment: Environment, at: At): readonly Finding[] {
  const said = environment.get('RUNBOOK_STATE_DIR');
  const folder = said?.value ?? '/var/lib/runbook';
  const volume = volumes.find(({ value }) => isBelow(folder, value.target));
  if (volume !== undefined && !volume.value.readOnly)
    return [ok('ledger', `in ${folder}, on a volume`, at(volume.line))];
  const fix = `Mount a volume at ${folder}${said === undefined ? ', and set RUNBOOK_STATE_DIR to it' : ''}.`;
  const why = volume === undefined ? 'is on no volume, and gone with the container' : 'is mounted read-only';
  return [
    problem('ledger', `the record of all runs, in ${folder}, ${why}`, fix, at(said?.line ?? volume?.line ?? line)),
  ];
}

function reach({ ports }: Service, environment: Environment, at: At): readonly Finding[] {
  const port = environment.get('RUNBOOK_API_PORT')?.value ?? environment.get('API_PORT')?.value ?? '8083';
  return ports.flatMap(({ value, line }): readonly Finding[] =>
    value === port
      ? [ok('port', `${port} is listened on and published`, at(line))]
      : [
          problem(
            'port',
            `${value} of the container is published, and ${port} is listened on`,
            `Publish ${port}, or set API_PORT=${value}.`,
            at(line),
          ),
        ],
  );
}

function health({ healthcheck }: Service, at: At): readonly Finding[] {
  if (healthcheck === null) return [];
  const { value, line } = healthcheck;
  if (/\/(?:healthz|readyz)\b/.test(value)) return [ok('health', 'is asked where it is told', at(line))];
  const fix = 'Ask http://localhost:PORT/healthz (it answers at all) or /readyz (it takes runs).';
  if (/\/api\//.test(value)) return [problem('health', 'it asks a route that needs a token', fix, at(line))];
  if (/\bpython/.test(value) || /\/metrics\b/.test(value))
    return [
      note(
        'health',
        '/metrics says only that it answers, and the check may need a program that the image lacks',
        fix,
        at(line),
      ),
    ];
  return [];
}

/** Once for a deployment: nothing of the file tells who reads them. */
export const METRICS: Finding = note(
  'metrics',
  'flask_http_request_* keep their names; `path` is the route, and python_*, process_* and flask_exporter_info are gone',
  'Look at dashboards and alerts that name a path or one of those.',
);

function resolvePath(folder: string, base: string): string {
  const whole = folder.startsWith('/') ? folder : `${base}/${folder}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function isBelow(folder: string, target: string): boolean {
  const top = resolvePath(target, '/');
  return folder === top || folder.startsWith(top === '/' ? '/' : `${top}/`);
}
