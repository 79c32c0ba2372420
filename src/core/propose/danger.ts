/** Words in a script after which a person should be asked first. */

const WORDS = new Set(
  (
    'drop delete drain terminate destroy purge truncate shutdown reboot halt poweroff mkfs wipe evict kill pkill killall failover ' +
    'promote prune uninstall revoke decommission dd rollback undo switchover'
  ).split(' '),
);
const OPTIONS = new Set([
  '--force',
  '--force-with-lease',
  '--hard',
  '--delete',
  '--purge',
  '--grace-period=0',
  '--replicas=0',
]);

/** Those that are there, in order and each once, as they are to be told: `rm -rf`, `drain`. */
export function dangersIn(script: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const line of script) {
    if (line.trim().startsWith('#')) continue;
    const words = line.split(/[ \t;|&()"'`$]+/).filter((word) => word !== '');
    for (const [index, word] of words.entries()) {
      const lower = word.toLowerCase();
      if (word === 'rm' && /^-[a-zA-Z]*[rRf]/.test(words[index + 1] ?? '')) found.add(`rm ${words[index + 1] ?? ''}`);
      else if (word.startsWith('mkfs.')) found.add('mkfs');
      else if (WORDS.has(lower) || OPTIONS.has(lower)) found.add(lower);
    }
  }
  return [...found].slice(0, 5);
}
