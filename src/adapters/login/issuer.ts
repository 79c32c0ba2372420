/** An issuer's side of a login: OpenID Connect discovery, the device flow (RFC 8628), and renewing (RFC 6749, 6). */
import { RunbookError } from '../../core/errors.ts';
import { messageOf } from '../../core/failures.ts';
import { readDeviceCode, readEndpoints, readPoll, readTokens } from '../../core/login.ts';
import type { DeviceCode, DeviceOffer, Endpoints, Poll, Tokens } from '../../core/login.ts';
import { askJson } from '../network/json.ts';
import type { JsonAnswer } from '../network/json.ts';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** @throws RunbookError `unavailable` */
export async function discover(issuer: string): Promise<Endpoints> {
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer;
  const { status, body } = await ask(issuer, `${base}/.well-known/openid-configuration`, null);
  if (status !== 200) throw noLogin(issuer, `has no description of itself (${status})`);
  const endpoints = readEndpoints(issuer, body);
  if (typeof endpoints === 'string') throw noLogin(issuer, endpoints);
  return endpoints;
}

/** @throws RunbookError `unavailable` */
export async function beginLogin({ issuer, clientId, scope }: DeviceOffer, { device }: Endpoints): Promise<DeviceCode> {
  const { status, body } = await ask(issuer, device, { client_id: clientId, scope });
  const code = status === 200 ? readDeviceCode(body) : undefined;
  if (code === undefined) throw noLogin(issuer, `gives no code (${status})`);
  return code;
}

/** An issuer that does not answer for a moment is asked again. */
export async function pollLogin(
  { issuer, clientId }: DeviceOffer,
  { token }: Endpoints,
  { deviceCode }: DeviceCode,
  now: () => Date,
): Promise<Poll> {
  try {
    const fields = { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: clientId };
    const { status, body } = await ask(issuer, token, fields);
    return readPoll(status, body, now());
  } catch {
    return { kind: 'pending' };
  }
}

/** @returns null where the issuer does not renew it any more @throws RunbookError `unavailable` where it is away */
export async function renew(
  { tokenEndpoint, clientId }: { readonly tokenEndpoint: string; readonly clientId: string },
  refreshToken: string,
  now: () => Date,
): Promise<Tokens | null> {
  const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId };
  const { status, body } = await ask(tokenEndpoint, tokenEndpoint, fields);
  if (status === 429 || status >= 500) throw noLogin(tokenEndpoint, `does not renew the token now (${status})`);
  return status === 200 ? (readTokens(body, now(), refreshToken) ?? null) : null;
}

async function ask(who: string, address: string, form: Readonly<Record<string, string>> | null): Promise<JsonAnswer> {
  try {
    return await askJson(
      new URL(address),
      form === null
        ? { method: 'GET' }
        : {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams(form).toString(),
          },
    );
  } catch (error) {
    throw noLogin(who, messageOf(error));
  }
}

function noLogin(who: string, why: string): RunbookError {
  return new RunbookError('unavailable', `${who} ${why}.`, {
    fix: 'Ask whoever operates the server; a token of another source can be given with --token-file.',
  });
}
