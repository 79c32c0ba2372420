/** The description of the API, made from its own routes, and a page to try it. */
import { readFile } from 'node:fs/promises';
import type { Http } from '../context.ts';

const ASSETS = new Map([
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
]);

/** @param assets folder of the explorer's files */
export function docsRoutes(http: Http, assets: string): void {
  const open = { config: { access: 'public' as const }, schema: { hide: true } };
  http.get(
    '/docs/openapi.yaml',
    open,
    async (_, reply) => await reply.type('application/yaml; charset=utf-8').send(http.swagger({ yaml: true })),
  );
  http.get('/docs/explorer.html', open, async (_, reply) => await reply.type('text/html; charset=utf-8').send(PAGE));
  http.get(
    '/docs/explorer.js',
    open,
    async (_, reply) => await reply.type('text/javascript; charset=utf-8').send(SCRIPT),
  );
  for (const [name, type] of ASSETS) {
    http.get(
      `/docs/${name}`,
      open,
      async (_, reply) => await reply.type(type).send(await readFile(`${assets}/${name}`)),
    );
  }
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runbook API</title>
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<div id="explorer"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="explorer.js"></script>
</body>
</html>
`;

const SCRIPT = `SwaggerUIBundle({ url: 'openapi.yaml', dom_id: '#explorer', validatorUrl: null, deepLinking: true });\n`;
