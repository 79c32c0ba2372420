/** A real issuer on this machine that knows the device flow: discovery, codes, tokens that a server verifies, and renewing. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { json } from './key-server.ts';
import { startProvider } from './provider.ts';
import type { Provider } from './provider.ts';

export interface DeviceIssuer extends Provider {
  /** How often somebody asks before the person has agreed. */
  pending: number;
  /** Instead of tokens, an `error` of RFC 8628. */
  error: string | null;
  /** How long tokens hold, seconds; as the answer says it, and as the token itself does. */
  lifetime: number;
  /** Refresh tokens that count. */
  readonly refreshTokens: Set<string>;
  /** Forms that the endpoints got. */
  readonly forms: Readonly<Record<string, string>>[];
  /** Members of the answer with the code. */
  code: Record<string, unknown>;
}

export async function startDeviceIssuer(): Promise<DeviceIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const provider = await startProvider([{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }]);
  let made = 0;
  const tokens = async (): Promise<Record<string, unknown>> => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: provider.issuer, aud: 'dev-api', sub: 'anna', roles: ['sre'], iat: now };
    const jwt = new SignJWT({ ...claims, exp: now + issuer.lifetime, jti: `${(made += 1)}` });
    const refresh = `refresh-${made}-${'r'.repeat(20)}`;
    issuer.refreshTokens.add(refresh);
    return {
      access_token: await jwt.setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(privateKey),
      token_type: 'Bearer',
      expires_in: issuer.lifetime,
      refresh_token: refresh,
    };
  };
  const issuer: DeviceIssuer = Object.assign(provider, {
    pending: 0,
    error: null,
    lifetime: 3600,
    refreshTokens: new Set<string>(),
    forms: [],
    code: {
      device_code: 'device-code-1',
      user_code: 'WDJB-MJHT',
      verification_uri: `${provider.issuer}/device`,
      expires_in: 60,
      interval: 1,
    },
  });
  provider.document = {
    ...provider.document,
    device_authorization_endpoint: `${provider.issuer}/device`,
    token_endpoint: `${provider.issuer}/token`,
  };
  provider.post = async (path, body) => {
    const form = Object.fromEntries(new URLSearchParams(body));
    (issuer.forms as Record<string, string>[]).push(form);
    if (path === '/realm/device') return { status: 200, answer: json(issuer.code) };
    if (path !== '/realm/token') return { status: 404, answer: json({}) };
    if (form['grant_type'] === 'refresh_token') {
      // Each counts once.
      const isKnown = issuer.refreshTokens.delete(form['refresh_token'] ?? '');
      return isKnown
        ? { status: 200, answer: json(await tokens()) }
        : { status: 400, answer: json({ error: 'invalid_grant' }) };
    }
    if (issuer.error !== null) return { status: 400, answer: json({ error: issuer.error }) };
    if (issuer.pending > 0) {
      issuer.pending -= 1;
      return { status: 400, answer: json({ error: 'authorization_pending' }) };
    }
    return { status: 200, answer: json(await tokens()) };
  };
  return issuer;
}
