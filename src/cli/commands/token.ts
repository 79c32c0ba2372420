/** `runbook token mint`: a short-lived token for development, signed with the local secret. */
import { RunbookError } from '../../core/errors.ts';
import { parseDuration } from '../../core/units.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import type { Terminal } from '../terminal.ts';

export interface MintOptions extends CommonOptions {
  readonly subject: string;
  readonly role?: readonly string[];
  readonly claim?: readonly string[];
  readonly ttl: string;
}

export async function mintCommand(terminal: Terminal, options: MintOptions): Promise<number> {
  const ttlText = options.ttl;
  const ttlMs = parseDuration(ttlText);
  if (ttlMs === null)
    throw new RunbookError('usage', `--ttl: “${ttlText}” is not a duration.`, {
      fix: 'Write a number with a unit, like 15m or 1h.',
    });
  const claims = readClaims(options.claim ?? []);
  return await withApp(terminal, options, async ({ app }) => {
    const now = app.clock.now();
    const token = await app.mintToken({
      subject: options.subject,
      roles: options.role ?? [],
      claims,
      ttlMs,
      now,
    });
    if (options.json === true)
      await printJson(terminal, 'token mint', {
        token,
        expiresAt: new Date(Math.floor(now.getTime() / 1000) * 1000 + ttlMs).toISOString(),
      });
    else await terminal.print(`${token}\n`);
    return 0;
  });
}

function readClaims(items: readonly string[]): Readonly<Record<string, string>> {
  const claims = new Map<string, string>();
  for (const item of items) {
    const equals = item.indexOf('=');
    if (equals < 1)
      throw new RunbookError('usage', `--claim: “${item}” is not NAME=VALUE.`, {
        fix: 'Write --claim environment=production.',
      });
    claims.set(item.slice(0, equals), item.slice(equals + 1));
  }
  return Object.fromEntries(claims);
}
