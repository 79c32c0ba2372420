/** Somebody else in a folder, at the worst of moments: exchanges pairs of names in one system call, again and again. */
import { execa } from 'execa';
import { requires } from './requires.ts';

/** `renameat2` with RENAME_EXCHANGE: there is no moment without a file of that name. */
const SCRIPT = `
import ctypes, os, random, sys, time
libc = ctypes.CDLL(None, use_errno=True)
count, pairs = int(sys.argv[1]), [name.encode() for name in sys.argv[2:]]
pairs = list(zip(pairs[::2], pairs[1::2]))
for turn in range(count):
    first, second = pairs[turn % len(pairs)]
    if libc.renameat2(-100, first, -100, second, 2) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    time.sleep(random.random() * 0.0004)
print(count)
`;

export const canExchange = requires('python3', '-c', 'import ctypes; ctypes.CDLL(None).renameat2');

/** So often at least, also on a machine that is busy otherwise. */
const MIN_WORK = 100;

/**
 * Does `work` over and over until all names have been exchanged `count` times in all.
 * @returns how often `work` was done
 */
export async function whileExchanging(
  pairs: readonly (readonly [string, string])[],
  count: number,
  work: () => Promise<void>,
): Promise<number> {
  let done = 0;
  while (done < MIN_WORK) {
    const exchanger = execa('python3', ['-c', SCRIPT, String(count), ...pairs.flat()], { reject: false });
    const over = new AbortController();
    const ended = exchanger.finally(() => {
      over.abort();
    });
    try {
      for (; !over.signal.aborted; done += 1) await work();
      const { failed, stderr } = await ended;
      if (failed) throw new Error(`the names were not exchanged: ${stderr}`);
    } finally {
      exchanger.kill();
      await ended;
    }
  }
  return done;
}
