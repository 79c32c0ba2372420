/** Settings that decide who is trusted: one that is written in another form would trust nobody, or everybody. */
import { isIP } from 'node:net';
import { RunbookError } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import { parseAdminClaim } from './access.ts';

/** @throws RunbookError `settings` */
export function checkForms({
  trustProxy,
  allowedOrigins,
  adminClaim,
  rateLimitStorageBackend,
  redisUrl,
  metricsToken,
}: Pick<
  Settings,
  'trustProxy' | 'allowedOrigins' | 'adminClaim' | 'rateLimitStorageBackend' | 'redisUrl' | 'metricsToken'
>): void {
  const proxy = trustProxy.find((text) => !isAddressRange(text));
  if (proxy !== undefined) {
    throw wrong(
      `TRUST_PROXY: “${proxy}” is no address and no range of addresses.`,
      'Write the address of each proxy, like 10.0.0.5 or 10.0.0.0/8 or fd00::/8, separated by commas.',
    );
  }
  const origin = allowedOrigins.find((text) => !isOrigin(text));
  if (origin !== undefined) {
    throw wrong(
      `ALLOWED_ORIGINS: “${origin}” is not an origin as browsers send it.`,
      'Write each one out, like https://runbooks.example.org or http://localhost:8084: scheme, host, other ports than the usual, no slash at the end, no `*`.',
    );
  }
  if (adminClaim !== null && parseAdminClaim(adminClaim) === null) {
    throw wrong(
      `ADMIN_CLAIM: “${adminClaim}” does not say which claim has which value.`,
      'Write it like roles=admin or groups=ops,platform.',
    );
  }
  if (rateLimitStorageBackend === 'redis' && (redisUrl === null || !isRedisUrl(redisUrl))) {
    // It may hold a password, so it is not shown.
    throw wrong(
      redisUrl === null
        ? 'RATE_LIMIT_STORAGE_BACKEND is redis, and REDIS_URL is not set.'
        : 'REDIS_URL is not the address of a Redis.',
      'Write it like redis://user:password@host:6379/0, or rediss://… for TLS.',
    );
  }
  if (metricsToken !== null && !METRICS_TOKEN.test(metricsToken)) {
    throw wrong(
      'METRICS_TOKEN is shorter than 16 characters, or has some that a header does not carry.',
      'Set it to letters and digits that nobody can guess, like those of `openssl rand -hex 32`.',
    );
  }
}

/** Of what a header carries, and more than anybody tries out: the limits do not count who asks for metrics. */
const METRICS_TOKEN = /^[!-~]{16,}$/;

/** `/0` is no range but everybody. */
function isAddressRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return false;
  if (bits === undefined) return true;
  return /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol } = new URL(text);
  return origin === text && (protocol === 'https:' || protocol === 'http:');
}

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return ['redis:', 'rediss:'].includes(protocol) && hostname !== '';
}

function wrong(message: string, fix: string): RunbookError {
  return new RunbookError('settings', message, { fix });
}
