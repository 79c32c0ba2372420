/** Commands that change what is recorded, on a disk that is full: what is wrong in words, and what helps. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../helpers/background.ts';
import { classic, createHome } from '../helpers/cli.ts';
import { onFullDisk } from '../helpers/full-disk.ts';
import { requires } from '../helpers/requires.ts';

const CHANGES = [
  'execute ./Task.md --history ledger',
  'pause because',
  'resume',
  'history --prune --older-than 1s --yes',
];
const NO_SPACE =
  /^runbook: error: There is no space left on the disk for the ledger \S+\/disk\/state\/ledger\.sqlite\.\n {2}fix: Free at least 4\.0 MiB on the disk of \S+\/disk\/state, then try again\.\n?$/;

/** A run that has come to its script and goes on until it is ended; the driver knows it as `$run`. */
const UNDER_WAY = `
runbook execute ./Slow.md --history ledger --state-dir disk/state > slow.out 2>&1 & run=$!
for _ in $(seq 600); do [ -e at-work ] && break; sleep 0.1; done`;
/** As the message says, then with room again. */
const ENDED = `
kill -TERM $run
for _ in $(seq 600); do grep -q 'waiting for the ledger' slow.out && break; sleep 0.1; done
rm disk/fill; wait $run; echo "== run == $?"; echo --; cat slow.out
ask history last --state-dir disk/state`;

describe.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
  'a full disk under the ledger (needs unshare of util-linux)',
  () => {
    // What SQLite says of it differs: no page of shared memory, a part of it, no log.
    it.each([0, 4096, 20_000])(
      '(%i bytes are left) is told in one sentence, with the folder where room helps',
      async (left) => {
        const home = createHome();
        const commands = CHANGES.map((one) => `${one} --state-dir disk/state`);
        const answers = await onFullDisk(home, left, commands);
        expect(answers.map(({ exitCode }) => exitCode)).toEqual(CHANGES.map(() => 74));
        for (const { text } of answers) {
          expect(text).toMatch(NO_SPACE);
          expect(text).not.toMatch(/SQLITE|--state-dir/);
        }
        const after = `rm disk/fill; ${commands.map((one) => `ask ${one}`).join('; ')}`;
        const helped = (await onFullDisk(createHome(), left, [], { after })).map(({ exitCode }) => exitCode);
        // A run, nothing that is so old as not to be of this moment, and no pause that stays.
        expect(helped).toEqual([0, 0, 0, 0]);
      },
    );

    it('does not keep a run from being ended: `cancel` says how it can be told', async () => {
      const home = createHome();
      // So much that is new finds no room in the file of the ledger: emptying its log makes none.
      const text = randomBytes(40_000).toString('hex').replaceAll(/.{64}/g, '$&\n');
      home.write('Slow.md', classic('Slow', waitFor('work')).replace('\n', `\n\n${text}\n`));
      const answers = await onFullDisk(home, 4096, ['cancel last --state-dir disk/state'], {
        prepare: UNDER_WAY,
        after: ENDED,
      });
      const [cancel, run, history] = answers;
      expect(cancel?.exitCode).toBe(74);
      expect(cancel?.text).toMatch(
        /^runbook: error: Run \w{26} cannot be asked to end: the ledger in \S+, through which it would hear of it, has no space left on its disk\.\n {2}fix: Press Ctrl-C where it was started, or send its process on \S+ a signal: `kill \d+`\.\n?$/,
      );
      // That is the process of the run.
      expect(run).toMatchObject({ exitCode: 143 });
      expect(run?.text).toContain('which could not be written: There is no space left on the disk for the ledger');
      expect(history?.text).toMatch(/^outcome +canceled, exit 143/m);
    });
  },
);
