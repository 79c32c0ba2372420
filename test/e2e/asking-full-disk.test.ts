/** Asking a ledger whose disk is full: it is answered from a private copy, and nothing is taken of the disk or left on it. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHome } from '../helpers/cli.ts';
import type { Home } from '../helpers/cli.ts';
import { onFullDisk } from '../helpers/full-disk.ts';
import { times } from '../helpers/property.ts';
import { requires } from '../helpers/requires.ts';

const QUESTIONS = ['history', 'ps', 'audit list', 'audit verify', 'history --grep printed', 'history last --follow'];

const ledgerCopies = (home: Home): readonly string[] =>
  readdirSync(path.join(home.folder, '.tmp')).filter((name) => name.startsWith('runbook-ledger'));

describe.skipIf(!requires('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'))(
  'a ledger on a disk that is full (needs unshare of util-linux)',
  () => {
    it('is asked all the same, whatever is left, and nothing is left behind', async () => {
      for (const left of [4096, 0, 60 * 1024].slice(0, times(1, 3))) {
        const home = createHome();
        const answers = await onFullDisk(
          home,
          left,
          QUESTIONS.map((one) => `${one} --state-dir disk/state`),
        );
        expect(answers.map(({ exitCode }) => exitCode)).toEqual(QUESTIONS.map(() => 0));
        for (const { command, text, files } of answers) {
          expect(files).toMatch(/^ledger\.sqlite \d+\n$/);
          if (!command.startsWith('audit verify'))
            expect(text).toContain('This ledger cannot be written now, since its disk is full or fails: nobody');
        }
        expect(answers[0]?.text).toMatch(/ Task +succeeded /);
        expect(answers[3]?.text).toContain('The record holds.');
        expect(answers[4]?.text).toContain('  stdout: printed');
        expect(ledgerCopies(home)).toEqual([]);
      }
    });

    it('is asked where an attempt has left what SQLite lays beside it, and had no room for all of that', async () => {
      const full =
        'truncate -s -8192 disk/fill; head -c 4099 /dev/zero > disk/state/ledger.sqlite-shm; : > disk/state/ledger.sqlite-wal';
      const home = createHome();
      const answers = await onFullDisk(
        home,
        0,
        QUESTIONS.map((one) => `${one} --state-dir disk/state`),
        { full },
      );
      expect(answers.map(({ exitCode }) => exitCode)).toEqual(QUESTIONS.map(() => 0));
    });

    it('is asked where it is a copy, also by its file', async () => {
      const home = createHome();
      const prepare =
        'cp -r disk/state disk/copy; runbook audit copy disk/file-of-ledger --state-dir disk/state > /dev/null';
      const commands = [
        'history --state-dir disk/copy',
        'audit verify --state-dir disk/copy',
        'audit verify --ledger disk/file-of-ledger',
      ];
      const answers = await onFullDisk(home, 0, commands, { prepare });
      expect(answers.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
      expect(answers[0]?.text).toMatch(/This is a copy of the ledger of .*[^]* Task +succeeded /);
      expect(answers.map(({ files }) => files.includes('-shm') || files.includes('-wal'))).toEqual([
        false,
        false,
        false,
      ]);
      expect(ledgerCopies(home)).toEqual([]);
    });

    it('and no room for a copy either: that is said in one sentence, with what to do', async () => {
      const home = createHome();
      const commands = ['history', 'ps', 'audit verify', 'audit list'].map((one) => `${one} --state-dir disk/state`);
      const full = 'mkdir disk/scratch; export TMPDIR=$PWD/disk/scratch';
      const answers = await onFullDisk(home, 0, commands, { full });
      for (const { exitCode, text } of answers) {
        expect(exitCode).toBe(74);
        expect(text).toMatch(
          /^runbook: error: The ledger \S+ cannot be read where it lies, and there is no room for a copy in \S+scratch \(ENOSPC\)\.\n {2}fix: Make room .*\n?$/,
        );
      }
      const elsewhere = 'mkdir there; export RUNBOOK_EXECUTION_DIR=there';
      const helped = await onFullDisk(createHome(), 0, commands, { full: `${full}; ${elsewhere}` });
      expect(helped.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    });
  },
);
