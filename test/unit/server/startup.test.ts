/** What a server refuses to start with, and what it warns of, by its settings alone. */
import { describe, expect, it } from 'vitest';
import { RunbookError } from '../../../src/core/errors.ts';
import { resolveSettings } from '../../../src/core/settings.ts';
import type { SettingName } from '../../../src/core/settings.ts';
import { prepareSettings } from '../../../src/server/startup.ts';

type Texts = Partial<Record<SettingName, string>>;
const STRONG = '6f1d2c9a4b8e7053fa61d2e8b94c07a5';

function prepare(texts: Texts): ReturnType<typeof prepareSettings> {
  const values = new Map(
    Object.entries(texts).map(([name, text]) => [name as SettingName, { text, label: name }] as const),
  );
  return prepareSettings(resolveSettings([{ origin: 'environment', values }], 'server'));
}

function refusal(texts: Texts): RunbookError {
  try {
    prepare(texts);
  } catch (error) {
    if (error instanceof RunbookError) return error;
  }
  throw new Error('it was not refused');
}

const LOGIN: Texts = { enableLogin: 'true', adminClaim: 'roles=admin' };
const SIGNED: Texts = { jwtSecret: STRONG, adminClaim: 'roles=admin' };

describe('a start is refused', () => {
  it.each<[string, Texts, string, string]>([
    ['without any key', {}, 'No key is set to verify tokens with', 'openssl rand -hex 32'],
    ['with login and a public key', { ...LOGIN, jwtPublicKeyFile: '/k.pem' }, 'together with an issuer', 'Unset'],
    ['with login and a key set', { ...LOGIN, jwtJwks: 'https://idp/jwks' }, 'together with an issuer', 'Unset'],
    ['with login and issuers', { ...LOGIN, jwtIssuersFile: '/i.yaml' }, 'together with an issuer', 'Unset'],
    ['with login in production', { ...LOGIN, env: 'production' }, 'RUNBOOK_ENV is production', 'Unset ENABLE_LOGIN'],
    ['with login in production, and a secret', { ...LOGIN, ...SIGNED, env: 'production' }, 'production', 'Unset'],
    ['with proxies by number', { ...SIGNED, trustProxy: '1' }, 'TRUST_PROXY: “1” is no address', '10.0.0.0/8'],
    ['with proxies by a word', { ...SIGNED, trustProxy: 'true' }, 'TRUST_PROXY: “true”', '10.0.0.0/8'],
    ['with proxies by name', { ...SIGNED, trustProxy: '10.0.0.1,nginx' }, 'TRUST_PROXY: “nginx”', '10.0.0.0/8'],
    ['with everybody as a proxy', { ...SIGNED, trustProxy: '0.0.0.0/0' }, 'TRUST_PROXY: “0.0.0.0/0”', '10.0.0.0/8'],
    ['with everybody as a proxy (IPv6)', { ...SIGNED, trustProxy: '::/0' }, 'TRUST_PROXY: “::/0”', 'fd00::/8'],
    ['with a range that is too narrow', { ...SIGNED, trustProxy: '10.0.0.0/33' }, 'TRUST_PROXY', '10.0.0.0/8'],
    ['with a range of two parts', { ...SIGNED, trustProxy: '10.0.0.0/8/8' }, 'TRUST_PROXY', '10.0.0.0/8'],
    ['with a range without its size', { ...SIGNED, trustProxy: '10.0.0.0/' }, 'TRUST_PROXY', '10.0.0.0/8'],
    ['with any origin', { ...SIGNED, allowedOrigins: '*' }, 'ALLOWED_ORIGINS: “*”', 'https://runbooks.example.org'],
    ['with no origin', { ...SIGNED, allowedOrigins: 'null' }, 'ALLOWED_ORIGINS: “null”', 'https://'],
    ['with an address as an origin', { ...SIGNED, allowedOrigins: 'https://a.example/' }, 'ALLOWED_ORIGINS', 'slash'],
    ['with a host as an origin', { ...SIGNED, allowedOrigins: 'a.example' }, 'ALLOWED_ORIGINS', 'scheme'],
    ['with an origin in capitals', { ...SIGNED, allowedOrigins: 'https://A.example' }, 'ALLOWED_ORIGINS', 'https://'],
    ['with the usual port', { ...SIGNED, allowedOrigins: 'https://a.example:443' }, 'ALLOWED_ORIGINS', 'ports'],
    ['with a range of origins', { ...SIGNED, allowedOrigins: 'http://192.168.1.0/24' }, 'ALLOWED_ORIGINS', 'https://'],
    ['with files as an origin', { ...SIGNED, allowedOrigins: 'file://' }, 'ALLOWED_ORIGINS', 'https://'],
    ['with an administrator by a word', { ...SIGNED, adminClaim: 'admin' }, 'ADMIN_CLAIM: “admin”', 'roles=admin'],
    ['with an administrator of nothing', { ...SIGNED, adminClaim: 'roles=' }, 'ADMIN_CLAIM', 'roles=admin'],
    ['with an administrator of commas', { ...SIGNED, adminClaim: 'roles=,' }, 'ADMIN_CLAIM', 'roles=admin'],
    ['with a short token for metrics', { ...SIGNED, metricsToken: 'a'.repeat(15) }, 'METRICS_TOKEN', 'openssl'],
    ['with blanks in it', { ...SIGNED, metricsToken: 'a token for the metrics' }, 'METRICS_TOKEN', 'openssl'],
    ['with an administrator without a claim', { ...SIGNED, adminClaim: '=admin' }, 'ADMIN_CLAIM', 'roles=admin'],
  ])('%s', (_, texts, message, fix) => {
    const error = refusal(texts);
    expect(error.code).toBe('settings');
    expect(error.message).toContain(message);
    expect(error.fix).toContain(fix);
  });
});

describe('a start is warned of', () => {
  const MADE = /JWT_SECRET is not set: one was made for this start/;
  const LOUD = /POST \/dev-login gives a token with any roles to whoever asks/;
  it.each<[string, Texts, readonly RegExp[]]>([
    ['nothing', SIGNED, []],
    [
      'a server without an administrator',
      { jwtSecret: STRONG },
      [/ADMIN_CLAIM is not set: nobody is an administrator/],
    ],
    ['login', { ...SIGNED, enableLogin: 'true' }, [LOUD]],
    ['login without a secret', LOGIN, [LOUD, MADE]],
    [
      'login with a short secret',
      { ...LOGIN, jwtSecret: '1769177582' },
      [LOUD, /^JWT_SECRET is shorter than 32 bytes/],
    ],
    ['login with the default', { ...LOGIN, jwtSecret: 'dev-secret-change-me' }, [LOUD, /well-known placeholder/]],
    ['login with one letter', { ...LOGIN, jwtSecret: 'a'.repeat(40) }, [LOUD, /repeats itself/]],
  ])('%s', (_, texts, warnings) => {
    const { warnings: said } = prepare(texts);
    expect(said).toEqual(warnings.map((pattern) => expect.stringMatching(pattern)));
  });

  it('makes another secret at each start, and takes the given one where there is one', () => {
    const first = prepare(LOGIN).resolved.settings.jwtSecret;
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(prepare(LOGIN).resolved.settings.jwtSecret).not.toBe(first);
    expect(prepare({ ...LOGIN, jwtSecret: 'short' }).resolved.settings.jwtSecret).toBe('short');
  });

  it('takes what is of the right form', () => {
    const trustProxy = '10.0.0.5, 10.0.0.0/8, ::1, fd00::/8, 192.0.2.7/32, 2001:db8::/128';
    const allowedOrigins = 'https://a.example, http://localhost:8084, https://xn--bcher-kva.example, http://[::1]:8084';
    const { resolved } = prepare({ ...SIGNED, trustProxy, allowedOrigins, adminClaim: 'groups = ops, platform' });
    expect(resolved.settings.trustProxy).toHaveLength(6);
    expect(resolved.settings.allowedOrigins).toHaveLength(4);
  });
});
