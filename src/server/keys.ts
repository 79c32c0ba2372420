/** The keys that tokens are verified with: for readiness, and read again when somebody asks for it. */
import type { FastifyBaseLogger } from 'fastify';
import type { App } from '../app.ts';
import { messageOf } from '../core/failures.ts';

type Authenticator = App['authenticator'];

/** @returns a part of a sentence  @throws RunbookError `settings`, `unavailable` where there are none */
export async function checkKeys(authenticator: Authenticator): Promise<string> {
  await authenticator.ready();
  return 'are set';
}

/** Never throws: what was there before stays. */
export async function reloadKeys(authenticator: Authenticator, log: FastifyBaseLogger): Promise<void> {
  try {
    await authenticator.ready();
    log.info('Keys were read again');
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'Keys could not be read again; the ones before still count');
  }
}
