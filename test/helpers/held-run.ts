/** A run of a server that tells its token to the test, and ends when the test says so. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { classic } from './cli.ts';
import type { RequestOptions, Execution, TestServer } from './server.ts';

/** The script writes its token into the folder of the server, and waits there; after five minutes it ends by itself. */
export function holding(title: string, folder: string, claims = 'roles: sre'): string {
  const at = path.join(folder, title);
  const script = `umask 077; printf %s "$RUNBOOK_API_TOKEN" > "${at}.token~"; mv "${at}.token~" "${at}.token"
for _ in $(seq 3000); do [ -e "${at}.go" ] && break; sleep 0.1; done; rm -f "${at}.token" "${at}.go"; echo let go`;
  return classic(title, script, { claims });
}

export interface HeldRun {
  readonly token: string;
  /** Lets it go on. */
  end(): Promise<Execution>;
}

/** @param title of a document that `holding` has made */
export async function hold(server: TestServer, title: string, options: RequestOptions = {}): Promise<HeldRun> {
  const file = path.join(server.folder, `${title}.token`);
  const run = server.execute(`${title}.md`, options);
  const isOver = { yet: false };
  void run.finally(() => {
    isOver.yet = true;
  });
  while (!existsSync(file) && !isOver.yet) await delay(20);
  if (isOver.yet) throw new Error(`it did not hold: ${(await run).text}`);
  return {
    token: readFileSync(file, 'utf8'),
    end: async () => {
      writeFileSync(path.join(server.folder, `${title}.go`), '');
      return await run;
    },
  };
}
