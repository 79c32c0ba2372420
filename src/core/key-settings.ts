/** Settings of the keys that tokens are verified with, besides the one key of `settings.ts`. */
import { age, list, optionalText, place } from './setting.ts';

export const KEY_SETTINGS = {
  jwtSecretPrevious: optionalText('text of 32 bytes or more', {
    scope: 'operator',
    secret: true,
    aliases: ['JWT_SECRET_OLD', 'JWT_SECRET_PREVIOUS'],
    description: 'The shared secret before this one: its tokens still count, none are signed with it.',
  }),
  jwtKeysFile: place('YAML file', {
    scope: 'operator',
    aliases: ['JWT_KEYS_FILE'],
    description: 'Keys with ids and the times in which they count: see docs/tokens.md.',
  }),
  oidcIssuer: list({
    scope: 'operator',
    aliases: ['OIDC_ISSUER'],
    description: 'Issuers that say by OpenID Connect discovery where their keys are; several separated by commas.',
  }),
  jwtPrivateHosts: list({
    scope: 'operator',
    aliases: ['JWT_PRIVATE_HOSTS'],
    description: 'Hosts (`host` or `host:port`) of key sets that may have private addresses, and may use http.',
  }),
  jwtMaxAge: age(null, {
    scope: 'operator',
    aliases: ['JWT_MAX_AGE_SECONDS'],
    description: 'How long ago a token may have been made (`iat`), however long it holds; none by default.',
  }),
  jwksStale: age(24 * 3_600_000, {
    scope: 'operator',
    aliases: ['JWKS_STALE_SECONDS'],
    description: 'How long keys that were fetched count while their server is away.',
  }),
} as const;
