/** What a script that this user runs could reach besides what it is given. Only what is there is told, never what is in it. */
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { homeOf } from '../system/home.ts';

export interface Reach {
  readonly isRoot: boolean;
  /** Whether `sudo` needs no password; null where there is no sudo, or it has not answered. */
  readonly sudo: boolean | null;
  /** Where the socket of a container daemon can be written: whoever may is root on that machine. */
  readonly daemons: readonly string[];
  /** An agent that signs with keys which nobody sees. */
  readonly sshAgent: boolean;
  /** Files and folders of credentials that can be read. */
  readonly files: readonly string[];
  /** Variables of the caller that hold credentials by their name. */
  readonly variables: readonly string[];
}

/** It only asks whether it may: nothing is run. */
const SUDO_MS = 2000;

const DAEMONS = ['/var/run/docker.sock', '/run/podman/podman.sock', '/run/containerd/containerd.sock'];
const FILES = [
  '.aws/credentials',
  '.aws/config',
  '.azure/msal_token_cache.json',
  '.config/gcloud/credentials.db',
  '.config/gcloud/application_default_credentials.json',
  '.docker/config.json',
  '.git-credentials',
  '.kube/config',
  '.netrc',
  '.npmrc',
  '.pgpass',
  '.vault-token',
];
/** Of clouds and of what runs in them; others by the form of their names. */
const VARIABLES =
  /^(?:AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN)|AZURE_CLIENT_SECRET|GOOGLE_APPLICATION_CREDENTIALS|GOOGLE_CREDENTIALS|DIGITALOCEAN_(?:ACCESS_)?TOKEN|CLOUDFLARE_API_TOKEN|HCLOUD_TOKEN|VAULT_TOKEN|GITHUB_TOKEN|GH_TOKEN|GITLAB_TOKEN|CI_JOB_TOKEN|NPM_TOKEN)$/;

export async function readReach(environment: ReadonlyMap<string, string>): Promise<Reach> {
  const home = homeOf(environment) ?? '/';
  const kube = (environment.get('KUBECONFIG') ?? '').split(':').filter((file) => path.isAbsolute(file));
  const named = /^unix:\/\/(\/.+)$/.exec(environment.get('DOCKER_HOST') ?? '')?.[1];
  const agent = environment.get('SSH_AUTH_SOCK') ?? '';
  const files = [...new Set([...kube, ...FILES.map((file) => path.join(home, file))])];
  return {
    isRoot: process.getuid?.() === 0,
    sudo: await mayBecomeRoot(environment),
    daemons: await those([...new Set([...(named === undefined ? [] : [named]), ...DAEMONS])], constants.W_OK),
    sshAgent: agent !== '' && (await isThere(agent, constants.W_OK)),
    files: [...(await privateKeys(path.join(home, '.ssh'))), ...(await those(files, constants.R_OK))],
    variables: [...environment.keys()].filter((name) => VARIABLES.test(name)).sort(),
  };
}

async function those(places: readonly string[], how: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const place of places) if (await isThere(place, how)) found.push(place);
  return found;
}

async function isThere(place: string, how: number): Promise<boolean> {
  return await access(place, how).then(
    () => true,
    () => false,
  );
}

/** By their names: nothing in them is read. */
async function privateKeys(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const keys = names.filter((name) => names.includes(`${name}.pub`) || /^id_[a-z0-9_]+$/.test(name));
  return await those(
    keys.sort().map((name) => path.join(folder, name)),
    constants.R_OK,
  );
}

async function mayBecomeRoot(environment: ReadonlyMap<string, string>): Promise<boolean | null> {
  const { exitCode, timedOut } = await execa('sudo', ['-n', '-v'], {
    reject: false,
    timeout: SUDO_MS,
    stdio: 'ignore',
    env: { PATH: environment.get('PATH') ?? '', HOME: homeOf(environment) ?? '/' },
    extendEnv: false,
  });
  if (exitCode === undefined || timedOut) return null;
  return exitCode === 0;
}

/** Whether other users may write a file or folder; false where it is not there. */
export async function isWritableByOthers(place: string): Promise<boolean> {
  const facts = await stat(place).catch(() => null);
  // In a folder with the sticky bit nobody replaces what is another's.
  return facts !== null && (facts.mode & 0o002) !== 0 && !(facts.isDirectory() && (facts.mode & 0o1000) !== 0);
}
