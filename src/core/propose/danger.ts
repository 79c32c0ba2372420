/** What in a script a person should be asked about first. Rather a question too many than one too few, but none for a look. */

/** Wherever they stand as words of their own: `DROP TABLE`, `kubectl drain`, `pg_ctl promote`. */
const WORDS = new Set(
  (
    'drop dropdb dropuser delete drain terminate destroy purge truncate shutdown reboot halt poweroff mkfs wipe wipefs shred evict ' +
    'kill pkill killall failover promote prune uninstall revoke decommission rollback undo switchover flushall flushdb userdel ' +
    'groupdel lvremove vgremove pvremove swapoff'
  ).split(' '),
);
const OPTIONS = new Set([
  '--force',
  '--force-with-lease',
  '--hard',
  '--delete',
  '-delete',
  '--purge',
  '--grace-period=0',
  '--replicas=0',
]);

/** Of a program, what else changes or ends something; by itself each is a word like any other. */
const CHANGES = new Map<string, ReadonlySet<string>>(
  Object.entries({
    systemctl: 'stop restart try-restart reload-or-restart disable mask isolate',
    service: 'stop restart',
    supervisorctl: 'stop restart',
    pg_ctl: 'stop restart',
    pg_ctlcluster: 'stop restart',
    patronictl: 'restart reinit',
    kubectl: 'scale restart replace',
    oc: 'scale restart replace',
    docker: 'stop restart rm rmi down',
    podman: 'stop restart rm rmi down',
    'docker-compose': 'stop restart rm down',
    terraform: 'apply taint',
    tofu: 'apply taint',
    'redis-cli': 'del unlink replicaof slaveof',
    etcdctl: 'del remove',
    nomad: 'stop',
    vault: 'seal',
    apt: 'remove autoremove',
    'apt-get': 'remove autoremove',
    yum: 'remove erase',
    dnf: 'remove erase',
    aws: 'rm rb',
    gcloud: 'stop reset',
    az: 'stop restart deallocate',
    vacuum: 'full',
    init: '0 6',
    iptables: '-f --flush',
    crontab: '-r',
  }).map(([program, words]) => [program, new Set(words.split(' '))]),
);
/** `aws ec2 terminate-instances`: what a subcommand begins with. */
const CLOUD = /^(?:delete|terminate|stop|reboot|deregister|remove|revoke|detach|disable|failover|promote|purge)-[a-z]/;

/** They only show, whatever they are given. */
const READERS = new Set(
  'ls cat grep egrep zgrep tail head less wc stat df du journalctl ps pgrep man which type last file diff dig ping'.split(
    ' ',
  ),
);
/** Programs that only show with such a word as the first or second behind them. */
const LOOKS = new Map<string, RegExp>(
  Object.entries({
    systemctl: /^(?:status|show|cat|is-[a-z-]+|list-[a-z-]+)$/,
    kubectl: /^(?:get|describe|logs|top|explain|version|api-resources)$/,
    oc: /^(?:get|describe|logs|explain|version)$/,
    docker: /^(?:ps|logs|inspect|images|stats|version|info)$/,
    podman: /^(?:ps|logs|inspect|images|stats|version|info)$/,
    git: /^(?:status|log|diff|show|grep|blame)$/,
    helm: /^(?:list|ls|status|get|history|show|search)$/,
    terraform: /^(?:plan|show|validate|output|fmt)$/,
    tofu: /^(?:plan|show|validate|output|fmt)$/,
  }),
);
/** What they are given is carried out. */
const CARRIES_OUT = new Set(['bash', 'sh', 'zsh', 'python', 'python3', 'ssh', 'source', '.']);
const BEFORE_PROGRAM = new Set(['sudo', 'env', 'exec', 'nohup', 'time', 'then', 'do', 'else', 'if', '!', '{']);

/** Those that are there, in order and each once, as they are to be told: `rm -rf`, `drain`, `systemctl restart`. */
export function dangersIn(script: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const lines = script.filter((line) => !line.trim().startsWith('#'));
  for (const line of lines
    .join('\n')
    .replaceAll(/\\[ \t]*\n/g, ' ')
    .split('\n')) {
    for (const { text, isPiped } of commandsOfLine(line)) {
      const words = text.split(/[\s;|&()"'`$]+/).filter((word) => word !== '');
      if (onlyShows(text, words, isPiped)) continue;
      for (const danger of dangersOf(text, words)) found.add(danger);
    }
  }
  return [...found].slice(0, 5);
}

/** Split where a shell would, so not in quotes: what stands there is looked at as words of the command that gets it. */
function commandsOfLine(line: string): readonly { readonly text: string; readonly isPiped: boolean }[] {
  const parts: { text: string; isPiped: boolean }[] = [];
  let quote = '';
  let start = 0;
  for (let at = 0; at <= line.length; at += 1) {
    const character = line.charAt(at);
    if (character === '\\' && quote !== "'") at += 1;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === "'" || character === '"') quote = character;
    if (at < line.length && (quote !== '' || !/[;|&]/.test(character))) continue;
    const isPiped = character === '|' && line.charAt(at + 1) !== '|';
    parts.push({ text: line.slice(start, at), isPiped });
    start = at + 1;
  }
  if (start < line.length) parts.push({ text: line.slice(start), isPiped: false });
  return parts;
}

/** Whether nothing can come of it: `kubectl get`, `grep kill log`, `echo "nothing to delete"` that goes to nobody. */
function onlyShows(text: string, words: readonly string[], isPiped: boolean): boolean {
  if (/\$\(|`|[<>]\(/.test(text)) return false;
  const [program = '', ...rest] = words.slice(programAt(words));
  if (READERS.has(program)) return true;
  if (program === 'echo' || program === 'printf') return !isPiped;
  if (program === 'kill') return rest[0] === '-0' || rest[0] === '-l';
  const look = LOOKS.get(program);
  // Behind them may stand options with a value each: `kubectl -n prod get`.
  return look !== undefined && look.test(subcommandOf(rest));
}

function programAt(words: readonly string[]): number {
  const at = words.findIndex((word) => !BEFORE_PROGRAM.has(word) && !/^(?:-|[A-Za-z_]\w*=)/.test(word));
  return at === -1 ? 0 : at;
}

/** The first word that is neither an option nor, as of `-n prod`, its value. */
function subcommandOf(words: readonly string[]): string {
  const takesValue = (word: string): boolean => /^-[a-zA-Z]$|^--(?:namespace|context|kubeconfig|host)$/.test(word);
  return words.find((word, index) => !word.startsWith('-') && !takesValue(words[index - 1] ?? '')) ?? '';
}

function* dangersOf(text: string, words: readonly string[]): Iterable<string> {
  const at = programAt(words);
  const program = words[at] ?? '';
  for (const [index, word] of words.entries()) {
    const lower = word.toLowerCase();
    const behind = words.slice(index + 1);
    const changes = CHANGES.get(lower);
    const change = changes === undefined ? -1 : behind.findIndex((one) => changes.has(one.toLowerCase()));
    if (word === 'rm') yield* removal(behind);
    else if (word === 'dd' && behind.some((one) => one.startsWith('of='))) yield 'dd';
    else if (lower.startsWith('mkfs.')) yield 'mkfs';
    else if (WORDS.has(lower) || OPTIONS.has(lower)) yield lower;
    else if (change !== -1)
      yield `${lower}${behind[change - 1] === 'rollout' ? ' rollout' : ''} ${behind[change]?.toLowerCase()}`;
    else if (lower === 'aws') yield* behind.filter((one) => CLOUD.test(one)).slice(0, 1);
    else if (lower === 'git') yield* gitChange(behind);
    else if (lower === 'rsync' && behind.some((one) => one.startsWith('--delete-'))) yield '--delete';
    else if ((index === at || CARRIES_OUT.has(program)) && isNamedSo(baseName(word))) yield baseName(word);
  }
  for (const [, name = ''] of text.matchAll(/(?<![\w$])([A-Za-z]\w*)[ \t]?\(/g)) if (isNamedSo(name)) yield name;
}

/** What it is told to remove without asking, or with all below it. */
function removal(behind: readonly string[]): readonly string[] {
  const option = behind.find((word) => /^-[a-zA-Z]*[rRf]|^--(?:recursive|force)$/.test(word));
  return option === undefined ? [] : [`rm ${option}`];
}

function gitChange(behind: readonly string[]): readonly string[] {
  if (behind.includes('push') && behind.some((word) => /^-[a-zA-Z]*[fd]|^\+/.test(word))) return ['git push --force'];
  return behind.includes('clean') && behind.some((word) => /^-[a-zA-Z]*f/.test(word)) ? ['git clean'] : [];
}

/** `pg_promote`, `drain-node.sh`: of several words, one of them a danger. */
function isNamedSo(name: string): boolean {
  const parts = name.toLowerCase().split(/[_.-]+/);
  return parts.length > 1 && parts.some((part) => WORDS.has(part));
}

function baseName(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}
