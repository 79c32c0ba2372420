/** Situations of servers elsewhere, of logins at them and records for them: see json-situations.ts. */
import path from 'node:path';
import { createOutbox } from '../../src/adapters/outbox/folder.ts';
import { openSqliteLedger } from '../../src/adapters/ledger/sqlite.ts';
import type { RunRecord } from '../../src/core/run.ts';
import { classic } from './cli.ts';
import type { Home } from './cli.ts';
import { execute } from './json-calls.ts';
import type { Situation } from './json-situations.ts';
import { startServer } from './server.ts';
import { asObject } from './schemas.ts';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

/** Written for a server, and put into a ledger of its own as that would. */
async function reported(home: Home): Promise<string> {
  await home.json(execute(home, classic('Task', 'echo out')).args);
  const { run } = await home.json(['history', 'last']);
  const { seq: _seq, prev: _prev, hash: _hash, ...record } = asObject(run);
  const ledger = openSqliteLedger(path.join(home.folder, 'central/ledger.sqlite'));
  const attested = { by: 'anna', issuer: null, at: String(record['enqueuedAt']), host: '192.0.2.7' };
  // Read from the tool's own output, which its schema holds.
  await ledger.report({ ...(record as unknown as RunRecord), attested: { ...attested, withoutDocument: true } }, null);
  ledger.close();
  return String(record['runId']);
}

async function loggedIn(home: Home, ...wish: readonly string[]): Promise<readonly string[]> {
  const server = await startServer({ env: { ENABLE_LOGIN: 'true' } });
  await home.run(['login', '--server', server.url]);
  return ['--server', server.url, ...wish];
}

export const REPORT_SITUATIONS: readonly Situation[] = [
  {
    name: 'a login at a server that is for development',
    schema: 'login',
    exit: 0,
    shows: ['"subject": "anna"', '"renewed": false'],
    prepare: async (home) => ({ args: ['login', ...(await loggedIn(home, '--subject', 'anna'))] }),
  },
  {
    name: 'a login that is given up',
    schema: 'logout',
    exit: 0,
    shows: ['"loggedOut": true'],
    prepare: async (home) => ({ args: ['logout', ...(await loggedIn(home))] }),
  },
  { name: 'nothing that waits for a server', schema: 'report', exit: 0, prepare: () => ({ args: ['report'] }) },
  {
    name: 'a record that waits, and one that was refused',
    schema: 'report',
    exit: 69,
    shows: ['ECONNREFUSED', '403'],
    prepare: async (home) => {
      const { args } = execute(home, classic('Task', 'true'));
      for (const _ of [1, 2]) await home.run([...args, '--report-to', NOWHERE], { env: { RUNBOOK_API_TOKEN: 'no' } });
      const outbox = createOutbox(home.stateDir);
      const [first = ''] = await outbox.waiting();
      const waiting = await outbox.read(first);
      if (waiting?.report === null || waiting === null) throw new Error('nothing waits');
      await outbox.refuse({ ...waiting, report: waiting.report, reason: 'does not take it (403)' });
      return { args: ['report', '--report-to', NOWHERE], env: { RUNBOOK_API_TOKEN: 'no' } };
    },
  },
  {
    name: 'a run that was reported from elsewhere',
    schema: 'history',
    exit: 0,
    shows: ['"by": "anna"', '"host": "192.0.2.7"'],
    optional: ['attested', 'withoutDocument'],
    prepare: async (home) => ({
      args: ['history', await reported(home), '--state-dir', path.join(home.folder, 'central')],
    }),
  },
];
