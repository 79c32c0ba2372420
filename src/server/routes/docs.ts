/** The description of the API, and a page to try it. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import { stringify } from 'yaml';
import type { Http } from '../context.ts';
import type { OpenApi } from '../description/openapi.ts';
import { nothingHere } from '../problem.ts';

/** What Swagger UI needs besides what every other answer allows: the pictures that are in its own style sheet. */
const PAGE_CSP = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};
const CSP = Object.entries(PAGE_CSP)
  .map(([name, value]) => `${name} ${value}`)
  .join(';');

/** Before any route: how files are sent. @param assets folder of the page and its parts */
export async function sendFiles(http: Http, assets: string): Promise<void> {
  await http.register(fastifyStatic, {
    root: assets,
    serve: false,
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('cache-control', 'no-cache');
    },
  });
}

/** @param assets as above  @param description asked once, with the first request */
export function docsRoutes(http: Http, assets: string, description: () => OpenApi): void {
  // Anything else in the folder is nobody's business.
  const files = new Set(readdirSync(assets).filter((name) => /\.(?:html|js|css)$/.test(name)));
  const readSince = new Date().toUTCString();
  let yaml: { readonly text: string; readonly tag: string } | null = null;
  http.get('/docs/openapi.yaml', { config: { access: 'public' } }, async (request, reply) => {
    const text = yaml?.text ?? stringify(description(), { aliasDuplicateObjects: false });
    yaml ??= { text, tag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
    reply.headers({ etag: yaml.tag, 'last-modified': readSince, 'cache-control': 'no-cache' });
    if (request.headers['if-none-match']?.includes(yaml.tag) === true) return await reply.code(304).send();
    return await reply.type('application/yaml; charset=utf-8').send(text);
  });
  http.get<{ Params: { readonly file: string } }>(
    '/docs/:file',
    { config: { access: 'public' } },
    async (request, reply) => {
      const { file } = request.params;
      if (!files.has(file)) {
        throw nothingHere();
      }
      return await reply.header('content-security-policy', CSP).sendFile(file);
    },
  );
}
