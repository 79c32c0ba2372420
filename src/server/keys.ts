/** The keys that tokens are verified with: for readiness, and read again when somebody asks for it. */
import type { FastifyBaseLogger } from 'fastify';
import type { App } from '../app.ts';
import { messageOf } from '../core/failures.ts';

type Authenticator = App['authenticator'];
export type KeyState = ReturnType<Authenticator['keyStates']>[number];

/** Whether it could not be fetched again, which is not to be noticed only when it counts no more. */
export function isInTrouble({ stale, problem }: Pick<KeyState, 'stale' | 'problem'>): boolean {
  return stale || problem !== null;
}

/** @returns a part of a sentence, without names of issuers  @throws RunbookError `settings`, `unavailable` where there are none */
export async function checkKeys(authenticator: Authenticator): Promise<string> {
  await authenticator.ready();
  const states = authenticator.keyStates();
  const stale = states.filter(isInTrouble).length;
  const known = states.filter(({ keyId }) => keyId !== null).length;
  const text = known === 1 ? '1 key' : `${known} keys`;
  return stale === 0 ? text : `${text}; ${stale} could not be fetched again, the log says why`;
}

/** Never throws: what was there before stays. */
export async function reloadKeys(authenticator: Authenticator, log: FastifyBaseLogger): Promise<void> {
  try {
    await authenticator.reload();
    // A server that is away is no failure of the reading: what is in files and settings counts from now on.
    const failed = Map.groupBy(
      authenticator.keyStates().filter(({ problem }) => problem !== null),
      ({ issuer }) => issuer,
    );
    for (const [issuer, states] of failed) {
      const whose = issuer === null ? 'Keys' : `Keys of ${issuer}`;
      const what = states.some(({ keyId }) => keyId !== null)
        ? 'the ones from before still count'
        : 'there are none of it';
      log.warn({ issuer, reason: states[0]?.problem ?? null }, `${whose} could not be fetched; ${what}`);
    }
    log.info(failed.size === 0 ? 'Keys were read again' : 'All other keys were read again');
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'Keys could not be read again; the ones before still count');
  }
}

/** Once for each key that is in trouble, and when it is out of it again. */
export function watchKeys(log: FastifyBaseLogger): (states: readonly KeyState[]) => void {
  const told = new Map<string, string>();
  return (states) => {
    for (const { issuer, keyId, stale, problem } of states) {
      const name = JSON.stringify([issuer, keyId]);
      const reason = problem ?? (stale ? 'They could not be fetched again.' : null);
      if (reason === null && told.delete(name)) log.info({ issuer, keyId }, 'Keys are fresh again');
      if (reason !== null && told.get(name) !== reason) {
        told.set(name, reason);
        log.warn({ issuer, keyId, stale, reason }, 'Keys are in trouble');
      }
    }
  };
}
