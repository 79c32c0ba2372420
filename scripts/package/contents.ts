/** What the archive consists of, put together in a folder. */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { execa } from 'execa';
import { licence } from '../licences.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);

/** Whose program loader glibc is, by Node's name of the processor. */
const LOADERS: Readonly<Record<string, string>> = {
  x64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
};

/** What is to be read, and what its links lead to. */
const DOCUMENTS = [
  'docs',
  'runbooks',
  'samples',
  'schemas',
  'RUNBOOK_FORMAT.md',
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'LICENSE',
];

/** Compiled code of a program in a temporary folder is of no use to anybody. */
const NOT_AT_HOME = { HOME: '', XDG_CACHE_HOME: '' };

/** Shells, and where their completions lie below a prefix. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: 'share/bash-completion/completions/runbook',
  zsh: 'share/zsh/site-functions/_runbook',
  fish: 'share/fish/vendor_completions.d/runbook.fish',
};

/**
 * @param folder empty; afterwards with `bin`, `lib`, `share` and what is to be read
 * @param signal ends programs that are under way
 * @throws Error where a part is missing, or the program does not start as it lies there
 */
export async function assemble(folder: string, signal: AbortSignal): Promise<void> {
  const loader = LOADERS[process.arch];
  if (process.platform !== 'linux' || loader === undefined)
    throw new Error(`There is no archive for ${process.platform} on ${process.arch}. Build it on Linux, x64 or arm64.`);
  if (!existsSync(path.join(ROOT, 'dist/start.cjs')))
    throw new Error('There is no bundle. Write `npm run package`, which builds it first.');

  const lib = path.join(folder, 'lib');
  for (const part of ['bin', 'dist', 'libexec', 'package.json']) copy(path.join(ROOT, part), path.join(lib, part));
  for (const part of DOCUMENTS) copy(path.join(ROOT, part), path.join(folder, part));
  copyDriver(path.join(lib, 'node_modules/better-sqlite3'));
  await copyNode(path.join(lib, 'node'), signal);

  const launcher = readFileSync(path.join(import.meta.dirname, 'launcher.sh'), 'utf8').replaceAll('@LOADER@', loader);
  mkdirSync(path.join(folder, 'bin'));
  writeFileSync(path.join(folder, 'bin/runbook'), launcher);
  await execa('chmod', ['755', path.join(folder, 'bin/runbook'), path.join(lib, 'node')], { cancelSignal: signal });
  const program = path.join(folder, 'bin/runbook');
  await execa(program, ['--version'], { cancelSignal: signal, env: NOT_AT_HOME });
  writeFileSync(
    path.join(folder, 'THIRD_PARTY_LICENSES'),
    (await nodeLicence(path.join(folder, '.node'), signal)) + takeFile(path.join(lib, 'dist/THIRD_PARTY_LICENSES')),
  );
  await addForShells(program, folder, signal);
  // Whatever the umask is, and as it lay in the clone.
  await execa('chmod', ['-R', 'u=rwX,go=rX', folder], { cancelSignal: signal });
}

function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, dereference: true });
}

/** The native part of this platform alone: those of all others are six times as large. */
function copyDriver(to: string): void {
  const from = path.dirname(require.resolve('better-sqlite3/package.json'));
  for (const part of ['package.json', 'LICENSE', 'lib', `prebuilds/linux-${process.arch}.node`])
    copy(path.join(from, part), path.join(to, part));
}

const nodePackage = (): string => path.dirname(require.resolve('node/package.json'));

/** Without its symbols where binutils are there, which are a seventh of it. It is started afterwards in any case. */
async function copyNode(to: string, signal: AbortSignal): Promise<void> {
  copy(path.join(nodePackage(), 'bin/node'), to);
  const stripped = await execa('strip', [to], { reject: false, cancelSignal: signal });
  if (signal.aborted) throw new Error('It was stopped.');
  if (stripped.failed) console.log('Without `strip` (Debian: binutils) the archive is larger than it has to be.');
}

/** Of Node and of all that is in its binary: from the package of this platform that `node` has its binary from. */
async function nodeLicence(place: string, signal: AbortSignal): Promise<string> {
  const name = `node-linux-${process.arch}`;
  const { version } = JSON.parse(readFileSync(path.join(nodePackage(), 'package.json'), 'utf8')) as { version: string };
  let folder = path.join(nodePackage(), 'node_modules', name);
  if (!existsSync(path.join(folder, 'LICENSE'))) {
    // npm does not know of that package, and takes it away when another is installed; its cache still has it.
    mkdirSync(place);
    const options = ['--silent', '--prefer-offline', '--pack-destination', place];
    const { stdout } = await execa('npm', ['pack', ...options, `${name}@${version}`], {
      cwd: place,
      cancelSignal: signal,
    });
    await execa('tar', ['-xzf', stdout.trim(), 'package/LICENSE'], { cwd: place, cancelSignal: signal });
    folder = path.join(place, 'package');
  }
  const text = readFileSync(path.join(folder, 'LICENSE'), 'utf8');
  rmSync(place, { recursive: true, force: true });
  return licence(`Node.js ${version}`, text);
}

/** Pages of the manual and completions, where package managers put them. */
async function addForShells(program: string, folder: string, signal: AbortSignal): Promise<void> {
  const pages = path.join(folder, 'lib/dist/man');
  if (!existsSync(pages)) return;
  mkdirSync(path.join(folder, 'share/man'), { recursive: true });
  renameSync(pages, path.join(folder, 'share/man/man1'));
  for (const [shell, place] of Object.entries(COMPLETIONS)) {
    const { stdout } = await execa(program, ['completion', shell], {
      cancelSignal: signal,
      stripFinalNewline: false,
      env: NOT_AT_HOME,
    });
    mkdirSync(path.dirname(path.join(folder, place)), { recursive: true });
    writeFileSync(path.join(folder, place), stdout);
  }
}

function takeFile(file: string): string {
  const text = readFileSync(file, 'utf8');
  rmSync(file);
  return text;
}
