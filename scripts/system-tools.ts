/** Programs of the system that tests use. As root on Debian they are installed; elsewhere the tests that need them are skipped. */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';

/** Program → Debian package. */
const TOOLS: Readonly<Record<string, string>> = {
  zsh: 'zsh',
  fish: 'fish',
  man: 'man-db',
  groff: 'groff',
  bash: 'bash',
  python3: 'python3',
  openssl: 'openssl',
  script: 'bsdutils',
  setpriv: 'util-linux',
  chattr: 'e2fsprogs',
  strip: 'binutils',
  xz: 'xz-utils',
  debootstrap: 'debootstrap',
  chromium: 'chromium',
  nginx: 'nginx-light',
  git: 'git',
  strace: 'strace',
  sudo: 'sudo',
  unshare: 'util-linux',
  jq: 'jq',
  'redis-server': 'redis-server',
  shellcheck: 'shellcheck',
};

const isInstalled = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Installs what is missing where that is possible, and says what; never fails by itself. */
export function installSystemTools(): void {
  const missing = Object.keys(TOOLS).filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const isDebianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isDebianRoot) {
    console.log(`Not installed: ${missing.join(', ')}. Tests that need them are skipped.`);
    return;
  }
  const packages = missing.map((program) => TOOLS[program] ?? program);
  console.log(`Installing Debian packages that tests need: ${packages.join(', ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  execaSync('apt-get', ['update', '-qq'], { reject: false, env });
  const installed = execaSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    reject: false,
    env,
  });
  if (installed.failed) console.log(`apt-get could not install them: ${installed.stderr}`);
}
