/** Commands in the code of a page: which blocks are meant for a shell, and what of a transcript somebody typed. */

/** Tags of blocks that hold a shell's commands, or a transcript of them. */
const SHELL_TAGS = new Set(
  'sh bash zsh shell console terminal shell-session shellsession sh-session bash-session ksh'.split(' '),
);
const TRANSCRIPT_TAGS = new Set('console terminal shell-session shellsession sh-session bash-session'.split(' '));
/** Behind these nothing is known: some wikis tag every block so. */
const VAGUE_TAGS = new Set(['', 'text', 'plain', 'plaintext', 'none', 'code', 'txt']);

const PROGRAMS = new Set(
  (
    'ansible apt apt-get awk aws az base64 cat cd certbot chmod chown consul cp crontab curl cut date dd df diff dig dnf docker ' +
    'docker-compose du echo env etcdctl export fdisk find flux gcloud gh git grep gunzip gzip head helm host hostnamectl ' +
    'htpasswd iptables java jcmd journalctl jq jstack kafka-topics kafka-topics.sh kafka-reassign-partitions ' +
    'kafka-reassign-partitions.sh kafka-consumer-groups.sh kill kubectl ln logger logrotate ls lsof lvextend make mkdir mongo ' +
    'mongosh mount mv mysql mysqldump nc ncdu netstat nginx nmap nomad npm nslookup openssl patronictl pg_basebackup pg_ctl ' +
    'pg_ctlcluster pg_dump pg_isready pg_restore ping pip pkill ps psql pvresize python python3 redis-cli repmgr reboot ' +
    'resize2fs restic rm rndc rsync scp sed service sleep sort ss ssh ssh-keygen stat su sudo sysctl systemctl tail tar tee ' +
    'terraform time touch traceroute truncate umount unset unzip uptime vacuumdb vault vgs watch wc wget whoami xargs xfs_growfs ' +
    'yum zip zkcli'
  ).split(' '),
);
/** They want a person, or what follows them is typed somewhere else. */
const INTERACTIVE =
  /^(?:sudo[ \t]+)?(?:ssh[ \t]+[^ \t]+$|su\b|sudo[ \t]+(?:-i|-s|su)\b|psql[ \t]*$|mysql[ \t]*$|redis-cli[ \t]*$|mongosh?[ \t]*$|vim?\b|nano\b|top\b|htop\b|less\b)/;
const ATTACHED = /\bexec\b.*[ \t](?:-it|-ti|-i[ \t]+-t|-t[ \t]+-i)\b/;

export interface Commands {
  /** As a script; empty where nothing in the block is a command. */
  readonly lines: readonly string[];
  /** What should be looked at, one sentence each without its subject; `at`: index of the line in the block. */
  readonly doubts: readonly { readonly at: number; readonly text: string }[];
}

/** Null: the block is not meant for a shell. */
export function commandsOf(tag: string, block: readonly string[]): Commands | null {
  const isVague = VAGUE_TAGS.has(tag);
  if (!isVague && !SHELL_TAGS.has(tag)) return null;
  const hasDollar = block.some((line) => promptEnd(line, false) !== null);
  const hasRoot = !hasDollar && (TRANSCRIPT_TAGS.has(tag) || isVague) && block.some((line) => isRootPrompt(line, tag));
  const first = block.find((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  if (isVague && !hasDollar && !hasRoot && (first === undefined || !looksLikeCommand(first))) return null;
  return hasDollar || hasRoot ? typed(block, hasRoot) : withDoubts(block);
}

/** Whether the first word is a program that pages name, or a path. */
export function looksLikeCommand(line: string): boolean {
  const words = line
    .trim()
    .split(/[ \t]+/)
    .filter((word) => !/^[A-Za-z_]\w*=/.test(word));
  const [first = '', second = ''] = words[0] === 'sudo' ? words.slice(1) : words;
  if (/^\.{0,2}\/[\w./-]+$/.test(first)) return true;
  if (first === '' && words.length === 0 && line.includes('=')) return true;
  // `date` and `time` are words as well.
  return PROGRAMS.has(first) && !/^(?:the|a|an|is|are|of|for|that|this|until|your)$/i.test(second);
}

/** What stands behind prompts, with the lines that go on; output of commands is dropped. */
function typed(block: readonly string[], isRoot: boolean): Commands {
  const kept: { readonly at: number; readonly text: string }[] = [];
  let goesOn = false;
  let until: string | null = null;
  for (const [at, line] of block.entries()) {
    if (until !== null) {
      kept.push({ at, text: line });
      if (line.trim() === until) until = null;
      continue;
    }
    const end = promptEnd(line, isRoot);
    if (end === null && !goesOn) continue;
    const text = end === null ? line.replace(/^[ \t]*> /, '') : line.slice(end);
    kept.push({ at, text });
    goesOn = /\\[ \t]*$/.test(text);
    until = hereDocumentEnd(text);
  }
  const { doubts } = withDoubts(block, kept);
  return { lines: kept.map(({ text }) => text), doubts };
}

/** The word that ends the text which this line begins (`<<EOF`); null where it begins none. */
export function hereDocumentEnd(line: string): string | null {
  return /<<-?[ \t]*["']?([A-Za-z_]\w*)["']?/.exec(line)?.[1] ?? null;
}

function withDoubts(
  block: readonly string[],
  kept: readonly { readonly at: number; readonly text: string }[] = block.map((text, at) => ({ at, text })),
): Commands {
  const doubts = kept.flatMap(({ at, text }) => {
    const line = text.trim();
    if (INTERACTIVE.test(line) || ATTACHED.test(line))
      return [
        { at, text: 'this command waits for somebody at a keyboard, and what follows it may have been typed there' },
      ];
    if (isEndless(line)) return [{ at, text: 'this command does not end by itself' }];
    if (/^\.\.\.$|^…$/.test(line)) return [{ at, text: 'something is left out here' }];
    return [];
  });
  return { lines: kept.map(({ text }) => text), doubts };
}

/** It goes on until somebody interrupts it: `tail -f`, `kubectl logs -f`, `kubectl get -w`, `watch`. */
function isEndless(line: string): boolean {
  const [program = '', ...words] = line.replace(/^sudo[ \t]+/, '').split(/[ \t]+/);
  if (program === 'watch') return true;
  if (program === 'tail') return words.some((word) => /^-[a-zA-Z]*[fF]/.test(word) || word === '--follow');
  const follows = words.some((word) => ['-f', '--follow'].includes(word));
  if (program === 'journalctl' || program === 'docker')
    return follows && (program !== 'docker' || words.includes('logs'));
  if (program !== 'kubectl') return false;
  return (follows && words.includes('logs')) || words.some((word) => ['-w', '--watch'].includes(word));
}

/** Where the command begins behind `$ `, `user@host:~$ `, `[root@host ~]# `; null where no prompt is. */
function promptEnd(line: string, isRoot: boolean): number | null {
  const start = line.length - line.trimStart().length;
  const sign = line.charAt(start);
  if ((sign === '$' || (isRoot && sign === '#')) && line.charAt(start + 1) === ' ') return start + 2;
  const found = line.slice(start, start + 120).search(/[$#] /);
  if (found < 3) return null;
  const before = line.slice(start, start + found);
  const isPrompt = /^(?:\([\w.-]+\) ?)?\[?[\w.-]+@[\w.-]+[^|;&"'=]*$/.test(before);
  return isPrompt ? start + found + 2 : null;
}

/** `# systemctl restart x` rather than a comment: by its tag, or because a program is named. */
function isRootPrompt(line: string, tag: string): boolean {
  const text = line.trim();
  if (!text.startsWith('# ')) return false;
  return TRANSCRIPT_TAGS.has(tag) || looksLikeCommand(text.slice(2));
}
