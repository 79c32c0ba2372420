/** Settings of how often a caller may ask a server. */
import { choice, flag, integer, optionalText } from './setting.ts';

export const LIMIT_SETTINGS = {
  rateLimitEnabled: flag(true, {
    scope: 'operator',
    serverAliases: ['RATE_LIMIT_ENABLED'],
    description: 'Whether a server counts how often somebody asks: see docs/serve.md.',
  }),
  rateLimitStorageBackend: choice(['memory', 'redis'], 'memory', {
    scope: 'operator',
    serverAliases: ['RATE_LIMIT_STORAGE_BACKEND'],
    description: 'Where a server counts: in itself, or in Redis, where several servers count together.',
  }),
  redisUrl: optionalText('URL', {
    scope: 'operator',
    secret: true,
    serverAliases: ['REDIS_URL'],
    description: 'Address of that Redis, like `redis://user:password@host:6379/0`, or `rediss://…` for TLS.',
  }),
  rateLimitPerMinute: integer(60, 1, {
    scope: 'operator',
    serverAliases: ['RATE_LIMIT_PER_MINUTE'],
    description: 'Requests a minute without a token that holds, from one address (IPv6: one /64).',
  }),
  rateLimitAuthenticatedPerMinute: integer(600, 1, {
    scope: 'operator',
    serverAliases: ['RATE_LIMIT_AUTHENTICATED_PER_MINUTE'],
    description: 'Requests a minute of one subject.',
  }),
  rateLimitExecutePerMinute: integer(60, 1, {
    scope: 'operator',
    serverAliases: ['RATE_LIMIT_EXECUTE_PER_MINUTE'],
    description: 'Executions and validations a minute of one subject.',
  }),
  rateLimitLoginPerMinute: integer(10, 1, {
    scope: 'operator',
    serverAliases: ['RATE_LIMIT_LOGIN_PER_MINUTE'],
    description: 'Requests a minute for a token of POST /dev-login from one address.',
  }),
} as const;
