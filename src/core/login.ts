/** Logging in to a server: what it offers, what is kept of it, and what an issuer answers. Its ports are part of `ports.ts`. */
import { isSafeAddress } from './server-address.ts';

/** Of an issuer that knows the device flow (RFC 8628). */
export interface DeviceOffer {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
}

/** `development`: a token for whoever asks. Null: nobody can log in; tokens come from elsewhere. */
export type LoginOffer = DeviceOffer | 'development' | null;

export interface Tokens {
  readonly accessToken: string;
  /** ISO 8601; null: nobody has said. */
  readonly expiresAt: string | null;
  /** Null: the token cannot be renewed. */
  readonly refreshToken: string | null;
}

/** What is kept of a login, for one server. */
export interface StoredLogin extends Tokens {
  /** Scheme, host and port: no other one is ever sent these tokens. */
  readonly origin: string;
  /** Where the token is renewed, as which client; null after a development login. */
  readonly renewal: { readonly tokenEndpoint: string; readonly clientId: string } | null;
}

/** Tokens of logins, one file a server, for its owner only. */
export interface LoginStore {
  /** Null where there is none, or none that can be understood. @throws RunbookError `io` */
  read(origin: string): Promise<StoredLogin | null>;
  /** @throws RunbookError `io` */
  write(login: StoredLogin): Promise<void>;
  /** @returns whether there was one @throws RunbookError `io` */
  remove(origin: string): Promise<boolean>;
  /** Only one process at a time is in it. There is a login already. @throws RunbookError `io`, `busy`, or what `work` throws */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** All of them; what cannot be read is left out. */
  all(): Promise<readonly StoredLogin[]>;
}

export interface DeviceCode {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  /** With the code in it; null where the issuer has none. */
  readonly completeUri: string | null;
  readonly expiresInMs: number;
  readonly intervalMs: number;
}

export interface Endpoints {
  readonly device: string;
  readonly token: string;
}

/** What the issuer answers to whoever asks whether the person has agreed by now. */
export type Poll =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  | { readonly kind: 'pending' }
  | { readonly kind: 'slower' }
  /** Half a sentence. */
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_TOKEN = 16 * 1024;
const MAX_WAIT_MS = 30 * 60_000;
const MAX_INTERVAL_MS = 60_000;

/** @returns undefined where the answer of a server holds no such thing */
export function readOffer(body: unknown): LoginOffer | undefined {
  const login = member(body, 'login');
  if (login === null || login === 'development') return login;
  const [issuer, clientId, scope] = ['issuer', 'clientId', 'scope'].map((name) => text(member(login, name), 500));
  if (issuer === undefined || clientId === undefined || scope === undefined || !isAddress(issuer)) return undefined;
  return { issuer, clientId, scope };
}

/** @returns half a sentence where the document of an issuer does not say where to log in */
export function readEndpoints(issuer: string, body: unknown): Endpoints | string {
  if (member(body, 'issuer') !== issuer) return 'names another issuer in its own description';
  const device = text(member(body, 'device_authorization_endpoint'), 2000);
  const token = text(member(body, 'token_endpoint'), 2000);
  if (device === undefined) return 'does not offer to log in with a code (no device_authorization_endpoint)';
  if (token === undefined) return 'names no token_endpoint';
  return isAddress(device) && isAddress(token) ? { device, token } : 'names an address that is not https';
}

/** @returns undefined where it is none that could be shown to a person */
export function readDeviceCode(body: unknown): DeviceCode | undefined {
  const deviceCode = text(member(body, 'device_code'), MAX_TOKEN);
  const userCode = text(member(body, 'user_code'), 64);
  const verificationUri = text(member(body, 'verification_uri'), 1000);
  const completeUri = text(member(body, 'verification_uri_complete'), 1000) ?? null;
  if (deviceCode === undefined || userCode === undefined || verificationUri === undefined) return undefined;
  if (!isAddress(verificationUri) || (completeUri !== null && !isAddress(completeUri))) return undefined;
  const seconds = (name: string, otherwise: number): number => {
    const value = member(body, name);
    return typeof value === 'number' && value > 0 ? value * 1000 : otherwise;
  };
  return {
    deviceCode,
    userCode,
    verificationUri,
    completeUri,
    expiresInMs: Math.min(seconds('expires_in', 600_000), MAX_WAIT_MS),
    intervalMs: Math.min(Math.max(seconds('interval', 5000), 1000), MAX_INTERVAL_MS),
  };
}

/** @param previous a refresh token that goes on where the answer has no other */
export function readTokens(body: unknown, now: Date, previous: string | null = null): Tokens | undefined {
  const accessToken = text(member(body, 'access_token'), MAX_TOKEN);
  const type = member(body, 'token_type');
  if (accessToken === undefined || typeof type !== 'string' || type.toLowerCase() !== 'bearer') return undefined;
  const seconds = member(body, 'expires_in');
  const said = member(body, 'expires_at');
  const until =
    typeof seconds === 'number' && seconds > 0 && seconds < 1e9
      ? now.getTime() + seconds * 1000
      : typeof said === 'string'
        ? Date.parse(said)
        : endIn(accessToken);
  return {
    accessToken,
    expiresAt: Number.isNaN(until) ? null : new Date(until).toISOString(),
    refreshToken: text(member(body, 'refresh_token'), MAX_TOKEN) ?? previous,
  };
}

/** What a JWT says of its end, milliseconds; NaN where it is none, or says nothing. Nobody relies on it but for when to renew. */
function endIn(token: string): number {
  try {
    const exp = member(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()), 'exp');
    return typeof exp === 'number' && exp > 0 && exp < 1e11 ? exp * 1000 : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/** RFC 8628, 3.5; what an issuer says otherwise is final. */
export function readPoll(status: number, body: unknown, now: Date): Poll {
  if (status === 200) {
    const tokens = readTokens(body, now);
    return tokens === undefined ? { kind: 'refused', reason: 'answers without a token' } : { kind: 'tokens', tokens };
  }
  const error = member(body, 'error');
  if (error === 'authorization_pending' || status === 429 || status >= 500) return { kind: 'pending' };
  if (error === 'slow_down') return { kind: 'slower' };
  if (error === 'access_denied') return { kind: 'refused', reason: 'says that nobody agreed' };
  if (error === 'expired_token') return { kind: 'refused', reason: 'says that the code is too old' };
  const why = text(error, 100);
  return { kind: 'refused', reason: `refuses (${status}${why === undefined ? '' : `, ${why}`})` };
}

/** Whether a token may still be sent; one that is about to end would not arrive. */
export function isFresh({ expiresAt }: Tokens, now: Date): boolean {
  return expiresAt === null || Date.parse(expiresAt) > now.getTime() + 10_000;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** On one line, and visible. */
function text(value: unknown, most: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= most && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
    ? value
    : undefined;
}

function isAddress(value: string): boolean {
  return URL.canParse(value) && isSafeAddress(new URL(value));
}
