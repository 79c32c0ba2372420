/** An end that the ledger never takes, since its disk stays full: whoever waits is told so, whatever they have asked for. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classic, createHome } from '../helpers/cli.ts';
import { requires } from '../helpers/requires.ts';
import { asObject, violations } from '../helpers/schemas.ts';
import { inShell } from '../helpers/shell.ts';

/** Nothing that could be compressed. */
const LONG = Array.from({ length: 5000 }, () => randomBytes(50).toString('hex')).join('\n');

/** Takes all of the disk of the ledger, then goes on as the case wants it. */
const FILL = 'cat /dev/zero > "$DISK/fill" 2> /dev/null; touch "$HOME/begun"';

/**
 * A run whose script fills a disk of 16 MiB that only these processes see, SIGTERM when it has come so far, and once more
 * when it waits for the ledger: then nobody has to wait for the whole minute. When there is room again the ledger is asked.
 */
const DRIVER = `
export DISK=$PWD/disk
mkdir disk && mount -t tmpfs -o size=16m tmpfs disk || exit 99
until_said() { for _ in $(seq 600); do grep -q "$1" err && return; kill -0 $pid 2> /dev/null || return; sleep 0.1; done; }
: > err
runbook execute ./Task.md --history ledger --state-dir disk/state --pass-env DISK --record record.json --json > out 2> err & pid=$!
[ "$FIRST" = ended ] && until_said 'waiting for the ledger' || for _ in $(seq 600); do [ -e begun ] && break; sleep 0.1; done
kill -TERM $pid; until_said '^stopping'; until_said 'waiting for the ledger'; kill -TERM $pid
wait $pid; echo $? > code
rm disk/fill
runbook history last --state-dir disk/state --json > later.json 2> later`;

describe.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
  'an end that cannot be recorded (needs unshare of util-linux)',
  () => {
    it.each([
      ['of a script that has ended', 'ended', FILL, 'succeeded', 'nothing runs any more, only the end is still'],
      ['of a script that is stopped', 'begun', `${FILL}; exec sleep 60`, 'canceled', 'what still runs has 5s to end'],
    ])('%s: exit code, message and record say so', async (_, first, script, outcome, stopping) => {
      const home = createHome();
      // Its text is in the log still, and has no place in the file: emptying the log makes no room.
      home.write('Task.md', classic('Task', script).replace('A test.', LONG));
      const driver = DRIVER.replaceAll('runbook ', `"$NODE" -- "$TOOL" `);
      home.write('driver', driver);
      const env = {
        NODE: process.execPath,
        TOOL: path.resolve(import.meta.dirname, '../../bin/runbook.js'),
        FIRST: first,
      };
      const { exitCode, stderr } = await inShell(home, 'unshare -rm bash driver', env);
      if (exitCode !== 0) throw new Error(stderr);
      const read = (name: string): string => readFileSync(path.join(home.folder, name), 'utf8');
      const parse = (name: string): Readonly<Record<string, unknown>> => asObject(JSON.parse(read(name)));

      expect(read('err')).toContain(`stopping: ${stopping}`);
      expect(read('err')).toMatch(
        /error: The run \w+ ended \(\w+\), but its end could not be recorded: There is no space left/,
      );
      expect(read('code')).toBe('74\n');
      expect(parse('out')).toMatchObject({ error: { code: 'io', exitCode: 74 } });
      const record = parse('record.json');
      expect(violations('history', record)).toEqual([]);
      expect(record).toMatchObject({ recorded: false, run: { state: 'finished', seq: null, result: { outcome } } });
      const later = parse('later.json');
      expect(violations('history', later)).toEqual([]);
      expect(later).toMatchObject({
        recorded: true,
        run: { state: 'interrupted', runId: asObject(record['run'])['runId'] },
      });
    });
  },
);
