/** Where to get a token; and `POST /dev-login`: one for whoever asks, for development only, and only where the operator says so. */
import { Type } from 'typebox';
import type { Http, ServerContext } from '../context.ts';
import { loginOfferOf, Offer } from '../login-offer.ts';
import { HttpError } from '../problem.ts';

const Answer = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.Literal('bearer'),
    expires_at: Type.String(),
    subject: Type.String(),
    roles: Type.Array(Type.String()),
  },
  { title: 'Login' },
);

export function loginRoute(http: Http, context: ServerContext): void {
  const { app, settings, log } = context;
  const login = loginOfferOf(settings);
  // Who has no token yet has to find out where to get one.
  http.get(
    '/login',
    {
      config: { access: 'public' },
      schema: { response: { 200: Type.Object({ login: Offer }, { title: 'LoginOffer' }) } },
    },
    async () => ({ login }),
  );
  if (!settings.enableLogin) return;
  // It says when it ends: not after it has become too old.
  const ttlMs = Math.min(settings.jwtTtl, settings.jwtMaxAge ?? Infinity);
  http.post(
    '/dev-login',
    {
      config: { access: 'public' },
      schema: {
        body: Type.Unknown({ description: '`{"subject": "anna", "roles": ["sre"]}`; both may be left out' }),
        response: { 200: Answer },
      },
    },
    async (request) => {
      const { subject, roles } = readWish(request.body);
      const now = app.clock.now();
      const token = await app.mintToken({ subject, roles, claims: {}, ttlMs, now });
      log.warn(
        { correlationId: request.id, subject, roles },
        'A token was made for a caller who only asked (ENABLE_LOGIN)',
      );
      const expires = new Date(Math.floor(now.getTime() / 1000) * 1000 + ttlMs);
      return {
        access_token: token,
        token_type: 'bearer' as const,
        expires_at: expires.toISOString().replace('Z', '000+00:00'),
        subject,
        roles,
      };
    },
  );
}

function readWish(body: unknown): { readonly subject: string; readonly roles: string[] } {
  if (body === null || body === undefined) return { subject: 'dev-user-1', roles: ['developer'] };
  if (typeof body !== 'object' || Array.isArray(body)) throw mistake('The body is not a JSON object.');
  const wish = body as { readonly subject?: unknown; readonly roles?: unknown };
  const subject = wish.subject ?? 'dev-user-1';
  const roles = wish.roles ?? ['developer'];
  if (typeof subject !== 'string') throw mistake('`subject` is not text.');
  // Stage0 splits such a text when it reads the token; here it is done before one is made.
  const list: readonly unknown[] =
    typeof roles === 'string' ? roles.split(',').map((role) => role.trim()) : asList(roles);
  if (!list.every((role) => typeof role === 'string')) throw mistake('`roles` is not a list of texts.');
  return { subject, roles: [...list] };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function mistake(message: string): HttpError {
  return new HttpError(400, 'usage', message, { fix: 'Send {"subject": "anna", "roles": ["sre"]}, or nothing.' });
}
