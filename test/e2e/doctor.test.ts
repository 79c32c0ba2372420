/** What `doctor` finds: of this machine, and of a deployment of Stage0. Nothing is made or changed for it. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readReach } from '../../src/adapters/facts/reach.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import { classic, createHome, REPOSITORY } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { DOCUMENT, OWNER, queuedRun } from '../helpers/records.ts';

interface Finding {
  readonly subject: string;
  readonly state: string;
  readonly text: string;
  readonly fix: string;
  readonly place: string | null;
}

async function findings(
  home: Home,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Finding[]> {
  const document = await home.json(['doctor', ...args], { env });
  return document['findings'] as readonly Finding[];
}

/** Those that are not all right, as `state subject: text`. */
const told = (all: readonly Finding[]): string =>
  all
    .map(({ state, subject, text, place }) => `${state} ${subject}: ${text}${place === null ? '' : ` (${place})`}`)
    .join('\n');

const below = (folder: string): readonly string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => !/^\.(?:cache|tmp)/.test(name)).sort();

describe('doctor', () => {
  test('makes no ledger, and says that there is none', async () => {
    const home = createHome();
    const { exitCode, stdout } = await home.run(['doctor']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/ledger +none in .* yet: the first run makes one/);
    expect(below(home.folder)).toEqual([]);
    await home.run(['doctor', '--state-dir', 'state', '--json']);
    expect(existsSync(path.join(home.folder, 'state'))).toBe(false);
  });

  test('every finding that is not all right is one sentence and says what to do', async () => {
    const home = createHome();
    for (const { state, text, fix } of await findings(home, [], { NODE_DEBUG: 'fs', RUNBOOK_CONTAINMENT: 'reaper' })) {
      expect(text).not.toMatch(/\n|\. [A-Z]/);
      if (state !== 'ok' && !text.startsWith('no higher rung')) expect(fix).not.toBe('');
    }
  });

  test('finds what is wrong with the ledger, or with its place', async () => {
    const home = createHome();
    home.write('Task.md', classic('Task', 'true'));
    await home.run(['execute', './Task.md', '--history', 'ledger']);
    expect(told(await findings(home))).toMatch(/ok ledger: in .*, \d.*KiB, can be written/);
    await home.run(['pause', 'INC-7']);
    chmodSync(home.stateDir, 0o755);
    mkdirSync(path.join(home.folder, 'copy'), { mode: 0o700 });
    for (const name of readdirSync(home.stateDir))
      if (name.startsWith('ledger')) copyFileSync(path.join(home.stateDir, name), path.join(home.folder, 'copy', name));
    const here = told(await findings(home));
    expect(here).toMatch(/note runs: are paused since .*INC-7/);
    expect(here).toMatch(/note ledger: others on this machine may look into .* \(mode 755\)/);
    expect(told(await findings(home, ['--state-dir', 'copy']))).toMatch(/note ledger: in .*, a copy of the one in /);
    expect(told(await findings(home, [], { RUNBOOK_HISTORY: 'none' }))).toMatch(
      /note ledger: none: runs leave no record/,
    );
    home.write('copy/ledger.sqlite', 'x'.repeat(8192));
    const { exitCode, stdout } = await home.run(['doctor', '--state-dir', 'copy']);
    expect(exitCode).toBe(69);
    expect(stdout).toMatch(/problem +ledger +The file .* is damaged/);
    expect(stdout).toMatch(/containment/);
  });

  test.skipIf(!existsSync('/dev/shm'))('says that a record in memory does not stay', async () => {
    const home = createHome();
    const folder = mkdtempSync('/dev/shm/runbook-test-');
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    expect(told(await findings(home, ['--state-dir', path.join(folder, 'state')]))).toContain(
      'note storage: the ledger is on tmpfs',
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('sees a clock that is behind the record', async () => {
    const home = createHome();
    mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
    const ledger = openSqliteLedger(path.join(home.stateDir, 'ledger.sqlite'));
    await ledger.enqueue({ ...queuedRun(1), enqueuedAt: '2999-01-01T00:00:00.000Z' }, OWNER, DOCUMENT);
    ledger.close();
    expect(told(await findings(home))).toMatch(/problem clock: the newest record is .* ahead of it/);
  });

  test('tells what a script can reach, by name and never by content', async () => {
    const home = createHome();
    for (const folder of ['.ssh', '.kube', '.aws']) mkdirSync(path.join(home.folder, folder));
    const files = [
      '.ssh/id_ed25519',
      '.ssh/work',
      '.ssh/work.pub',
      '.ssh/known_hosts',
      '.kube/config',
      '.aws/credentials',
      'agent',
      'docker.sock',
    ];
    for (const name of files) home.write(name, 'canary-canary');
    const env = {
      SSH_AUTH_SOCK: path.join(home.folder, 'agent'),
      DOCKER_HOST: `unix://${path.join(home.folder, 'docker.sock')}`,
      AWS_SECRET_ACCESS_KEY: 'canary-canary',
    };
    const text = told(await findings(home, [], env));
    expect(text).toMatch(
      /note scripts: may read .*\.ssh\/id_ed25519, .*\.ssh\/work, .*\.aws\/credentials, .*\.kube\/config/,
    );
    expect(text).not.toMatch(/known_hosts|work\.pub|canary/);
    expect(text).toMatch(/note scripts: may sign with the keys of your ssh agent/);
    expect(text).toMatch(/note scripts: may use .*docker\.sock/);
    expect(text).toMatch(/note scripts: do not get AWS_SECRET_ACCESS_KEY unless they are declared/);
    expect(told(await findings(createHome()))).not.toMatch(/may read|agent|AWS/);
  });

  test.each([
    ['exit 0', true],
    ['exit 1', false],
    ['exec sleep 60', null],
  ])('asks sudo, and waits for no answer: %s', async (script, answer) => {
    const home = createHome();
    chmodSync(home.write('sudo', `#!/bin/sh\n[ "$*" = "-n -v" ] || exit 3\n${script}\n`), 0o755);
    const reach = await readReach(
      new Map([
        ['PATH', `${home.folder}:/usr/bin:/bin`],
        ['HOME', home.folder],
      ]),
    );
    expect(reach.sudo).toBe(answer);
    expect((await readReach(new Map([['PATH', path.join(home.folder, 'nothing')]]))).sudo).toBeNull();
  });

  test('names settings that are risky, and the value of none', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'runbooks'));
    chmodSync(path.join(home.folder, 'runbooks'), 0o777);
    home.write('secret', 'canary-canary-canary-canary-canary-1');
    chmodSync(path.join(home.folder, 'secret'), 0o644);
    const env = {
      NODE_DEBUG: 'fs',
      RUNBOOK_PASS_ENV: 'AWS_*,*',
      RUNBOOK_CONTAINMENT: 'reaper',
      JWT_SECRET_FILE: 'secret',
    };
    const text = told(await findings(home, [], env));
    expect(text).toMatch(/problem settings: NODE_DEBUG is set/);
    expect(text).toMatch(/note settings: RUNBOOK_PASS_ENV lets every script see your variables \*$/m);
    expect(text).toMatch(/note settings: RUNBOOK_CONTAINMENT keeps runs from being held by more than `reaper`/);
    expect(text).toMatch(/note settings: others may read the secrets in secret/);
    expect(text).toMatch(/note runbooks: everybody on this machine may change what is in/);
    expect(text).not.toContain('canary');
    expect(told(await findings(home, [], { JWT_SECRET: 'dev-secret-change-me' }))).toMatch(
      /problem settings: JWT_SECRET: .*placeholder/,
    );
    chmodSync(path.join(home.folder, 'runbooks'), 0o755);
    expect(told(await findings(home))).toContain('ok settings: none of them is risky');
  });

  test('looks for completion where the shell looks', async () => {
    const home = createHome();
    const env = { SHELL: '/bin/bash' };
    const text = await findings(home, [], env);
    expect(told(text)).toContain('note completion: is not installed for bash');
    home.write('.bashrc', 'eval "$(runbook completion bash)"\n');
    expect(told(await findings(home, [], env))).toMatch(/ok completion: of bash: .*\.bashrc/);
    expect(told(await findings(home, [], { SHELL: '/bin/dash' }))).not.toContain('completion');
  });
});

const SECRET = '7c1f0e6b52d94a3f8e21b06d5c9a7f43';
/** One that needs no hand. */
const SERVICE = {
  image: 'acme/runbooks:1',
  command: 'serve',
  user: '"1000"',
  ports: ['"8083:8083"'],
  environment: ['RUNBOOKS_DIR=/runbooks', 'RUNBOOK_STATE_DIR=/state', 'JWT_SECRET_FILE=/run/secrets/jwt'],
  volumes: ['./runbooks:/runbooks', 'state:/state'],
};

function compose(change: Partial<typeof SERVICE> & { readonly more?: string } = {}): string {
  const { more = '', ...service } = { ...SERVICE, ...change };
  const lines = Object.entries(service).flatMap(([key, value]) => {
    if (value === '') return [];
    return typeof value === 'string'
      ? [`    ${key}: ${value}`]
      : [`    ${key}:`].concat(value.map((one) => `      - ${one}`));
  });
  return ['services:', '  api:', ...lines, more, ''].join('\n');
}

async function examine(
  home: Home,
  text: string,
  env = {},
): Promise<{ readonly exitCode: number | undefined; readonly text: string }> {
  home.write('compose.yaml', text);
  mkdirSync(path.join(home.folder, 'runbooks'), { recursive: true });
  const { exitCode, stdout } = await home.run(['doctor', '--stage0', 'compose.yaml', '--json'], { env });
  return { exitCode, text: told((JSON.parse(stdout) as { findings: readonly Finding[] }).findings) };
}

describe('doctor --stage0', () => {
  test('needs no hand where there is nothing to do', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'runbooks'));
    home.write('runbooks/Task.md', classic('Task', 'echo "$NAME" $RUNBOOK_URL', { env: 'NAME: whose' }));
    const { exitCode, text } = await examine(home, compose());
    expect(text).not.toContain('problem');
    expect(exitCode).toBe(0);
    expect(text).toContain('ok runbooks: 1 of 1 documents are valid runbooks');
    expect(below(home.folder)).toEqual(['compose.yaml', 'runbooks', 'runbooks/Task.md']);
  });

  const CASES: readonly (readonly [
    name: string,
    change: Parameters<typeof compose>[0],
    expected: RegExp,
    exit: number,
  ])[] = [
    [
      'the image of Stage0',
      { image: 'ghcr.io/agile-learning-institute/stage0_runbook_api:latest' },
      /problem image: .*\(compose\.yaml:3\)/,
      78,
    ],
    [
      'its server',
      { command: 'gunicorn --bind 0.0.0.0:8083 src.server:app' },
      /problem command: it starts Stage0’s server: gunicorn/,
      78,
    ],
    ['no command', { command: '' }, /problem command: nothing says/, 78],
    ['root', { user: '' }, /note user: it runs as root/, 0],
    ['a user', {}, /note user: it runs as 1000, who must be able to write \/runbooks, \/state/, 0],
    [
      'read-only documents',
      { volumes: ['./runbooks:/runbooks:ro', 'state:/state'] },
      /note history: \/runbooks is mounted read-only.*\(compose\.yaml:13\)/,
      0,
    ],
    [
      'a record on no volume',
      { volumes: ['./runbooks:/runbooks'] },
      /problem ledger: the record of all runs, in \/state, is on no volume/,
      78,
    ],
    [
      'another port',
      { ports: ['"80:8080"'] },
      /problem port: 8080 of the container is published, and 8083 is listened on/,
      78,
    ],
    ['a long port', { ports: ['target: 8083\n        published: 80'] }, /ok port: 8083/, 0],
    [
      'a health check with a token',
      { more: '    healthcheck:\n      test: curl -f http://localhost:8083/api/runbooks' },
      /problem health: it asks a route that needs a token/,
      78,
    ],
    [
      'a health check by python',
      { more: '    healthcheck:\n      test: ["CMD", "python", "-c", "x"]' },
      /note health/,
      0,
    ],
    [
      'a short secret',
      { environment: ['JWT_SECRET=short', 'RUNBOOKS_DIR=/runbooks', 'RUNBOOK_STATE_DIR=/state'] },
      /problem keys: JWT_SECRET is shorter than 32 bytes, so the server does not start/,
      78,
    ],
    [
      'no secret',
      { environment: ['RUNBOOKS_DIR=/runbooks', 'RUNBOOK_STATE_DIR=/state'] },
      /problem keys: no key is set/,
      78,
    ],
    [
      'a secret in the environment',
      { environment: [`JWT_SECRET=${SECRET}`, 'RUNBOOKS_DIR=/runbooks', 'RUNBOOK_STATE_DIR=/state'] },
      /note keys: scripts .* can read JWT_SECRET/,
      0,
    ],
    [
      'a secret from outside',
      { environment: ['JWT_SECRET=${NOWHERE}', 'RUNBOOKS_DIR=/runbooks', 'RUNBOOK_STATE_DIR=/state'] },
      /note keys: JWT_SECRET comes from outside/,
      0,
    ],
    [
      'login and an issuer',
      { environment: [...SERVICE.environment, 'ENABLE_LOGIN=true', 'OIDC_ISSUER=https://id.example.org'] },
      /problem keys: ENABLE_LOGIN is on together with an issuer/,
      78,
    ],
    [
      'a number that is none',
      { environment: [...SERVICE.environment, 'MAX_RECURSION_DEPTH=deep'] },
      /problem variable: MAX_RECURSION_DEPTH: “deep” is not an integer/,
      78,
    ],
    [
      'a timeout in seconds',
      { environment: [...SERVICE.environment, 'SCRIPT_TIMEOUT_SECONDS=60'] },
      /note variable: SCRIPT_TIMEOUT_SECONDS is known; a timeout ends every process/,
      0,
    ],
    [
      'a retired setting',
      { environment: [...SERVICE.environment, 'RATE_LIMIT_STORAGE_URI=memory'] },
      /note variable: RATE_LIMIT_STORAGE_URI means nothing here/,
      0,
    ],
    [
      'a misspelt setting',
      { environment: [...SERVICE.environment, 'RUNBOOK_TIMEUOT=1m'] },
      /problem variable: RUNBOOK_TIMEUOT is not a setting/,
      78,
    ],
    [
      'a socket of docker',
      { volumes: [...SERVICE.volumes, '/var/run/docker.sock:/var/run/docker.sock'] },
      /note containment: scripts may use \/var\/run\/docker\.sock/,
      0,
    ],
  ];
  test.each(CASES)('%s', async (_, change, expected, exit) => {
    const { exitCode, text } = await examine(createHome(), compose(change));
    expect(text).toMatch(expected);
    expect({ exitCode, text }).toEqual({ exitCode: exit, text });
  });

  test('takes what is set from the file beside it, from the shell, and from env_file', async () => {
    const home = createHome();
    home.write('.env', `SECRET=${SECRET}\nPORT=9000\n`);
    home.write('more.env', 'MAX_RECURSION_DEPTH=deep\n');
    const environment = [
      'JWT_SECRET=${SECRET:?}',
      'RUNBOOKS_DIR=/runbooks',
      'RUNBOOK_STATE_DIR=/state',
      'API_PORT=${PORT:-1}',
    ];
    const text = compose({ environment, ports: ['"80:${PORT}"'], more: '    env_file: more.env' });
    const first = await examine(home, text);
    expect(first.text).toMatch(/ok port: 9000/);
    expect(first.text).toMatch(/problem variable: MAX_RECURSION_DEPTH.*\(more\.env:1\)/);
    expect(first.text).not.toMatch(/placeholder|shorter|no key/);
    expect((await examine(home, text, { PORT: '9001' })).text).toMatch(/ok port: 9001/);
  });

  test('reads anchors, and what is merged', async () => {
    const text = `x-common: &common\n  RUNBOOKS_DIR: /runbooks\n  MAX_RECURSION_DEPTH: deep\n${compose({ environment: [] }).replace('    environment:\n', '    environment:\n      <<: *common\n      RUNBOOK_STATE_DIR: /state\n      ENABLE_LOGIN: "true"\n')}`;
    const { text: all } = await examine(createHome(), text);
    expect(all).toMatch(/problem variable: MAX_RECURSION_DEPTH/);
    expect(all).toMatch(/note keys: ENABLE_LOGIN gives a token.*\(compose\.yaml:14\)/);
  });

  test('finds in its runbooks what does not validate, and what a script would miss', async () => {
    const home = createHome();
    mkdirSync(path.join(home.folder, 'runbooks'));
    home.write('runbooks/Broken.md', '# Broken\n\n# History\n');
    home.write('runbooks/README.md', '# About\n\nNothing.\n');
    const script =
      'echo $REGION $OWN $USER\nOWN=1; for X in a; do echo $X; done\ncat "$HOME/.netrc" temp.zsh\necho $REGION $RUNBOOK_RUN_ID $SCRIPT_TIMEOUT_SECONDS';
    home.write('runbooks/Task.md', classic('Task', script, { env: 'SSH_KEY: a', inputs: 'Input:\n- data/a.txt' }));
    const environment = [...SERVICE.environment, 'REGION=eu', 'SCRIPT_TIMEOUT_SECONDS=60'];
    const { exitCode, text } = await examine(home, compose({ environment }));
    expect(exitCode).toBe(65);
    expect(text).toContain('ok runbooks: 1 of 3 documents are valid runbooks');
    expect(text).toMatch(/problem runbook: .*\(section-missing\) \(runbooks\/Broken\.md:1\)/);
    expect(text).toMatch(/note runbook: it is no runbook, .*\(runbooks\/README\.md:1\)/);
    expect(text).toMatch(/problem variable: callers may not set SSH_KEY over HTTP \(runbooks\/Task\.md:7\)/);
    expect(text).toMatch(/note input: data\/a\.txt is copied with its folders/);
    const inScript = [
      ...text.matchAll(/variable: (?:the script uses )?(\w+)(?:, which| of a script).*Task\.md:(\d+)/g),
    ].map(([, name, line]) => `${name} ${line}`);
    expect(inScript).toEqual(['REGION 18', 'USER 18', 'HOME 20', 'SCRIPT_TIMEOUT_SECONDS 21']);
    expect(text).toMatch(/problem script: the script names temp\.zsh.*Task\.md:20/);
  });

  test('takes Stage0’s own samples as they are', async () => {
    const home = createHome();
    cpSync(path.join(REPOSITORY, 'test/fixtures/stage0'), path.join(home.folder, 'runbooks'), { recursive: true });
    const { exitCode, text } = await examine(home, compose());
    expect(text).toContain('5 of 5 documents are valid');
    expect({ exitCode, text }).toEqual({ exitCode: 0, text });
  });

  test.each([
    ['not YAML', 'services: [', 64, /compose\.yaml:\d+: this is not YAML/],
    ['no API', 'services:\n  db:\n    image: postgres\n', 64, /looks like the API of Stage0/],
    ['no services', 'a: 1\n', 64, /looks like the API/],
    [
      'a bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from('bcdefgh', (name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`).join('\n')}\n`,
      64,
      /names parts of itself too often/,
    ],
  ])('refuses %s', async (_, text, exit, says) => {
    const home = createHome();
    home.write('compose.yaml', text);
    const { exitCode, stderr } = await home.run(['doctor', '--stage0', 'compose.yaml']);
    expect({ exitCode, stderr }).toEqual({ exitCode: exit, stderr });
    expect(stderr).toMatch(says);
  });

  test('is told a folder only with a file, and a file that is there', async () => {
    const home = createHome();
    expect((await home.run(['doctor', 'runbooks'])).exitCode).toBe(64);
    expect((await home.run(['doctor', '--stage0', 'nothing.yaml'])).exitCode).toBe(66);
    home.write('compose.yaml', compose());
    symlinkSync(path.join(home.folder, 'nothing'), path.join(home.folder, 'gone'));
    const { exitCode, stdout } = await home.run(['doctor', '--stage0', 'compose.yaml', 'gone']);
    expect(exitCode).toBe(65);
    expect(stdout).toMatch(/problem +runbooks/);
  });
});
