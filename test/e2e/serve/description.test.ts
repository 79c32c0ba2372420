import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { classic, REPOSITORY } from '../../helpers/cli.ts';
import { readDescription } from '../../helpers/described.ts';
import { asObject } from '../../helpers/schemas.ts';
import { startServer } from '../../helpers/server.ts';

const server = await startServer({
  env: { ENABLE_LOGIN: 'true' },
  runbooks: {
    'Hello.md': classic('Hello', 'echo hello'),
    'Closed.md': classic('Closed', 'echo no', { claims: 'roles: nobody' }),
    'Needs.md': classic('Needs', 'echo $WHO', { env: 'WHO: who' }),
  },
});
const yaml = (await server.get('/docs/openapi.yaml', { token: null })).text;
const description = readDescription(yaml);

interface Found {
  readonly path: string;
  readonly method: string;
  readonly operation: Readonly<Record<string, unknown>>;
}

const operations: readonly Found[] = Object.entries(asObject(description.document['paths'])).flatMap(([at, methods]) =>
  Object.entries(asObject(methods)).map(([method, operation]) => ({
    path: at,
    method: method.toUpperCase(),
    operation: asObject(operation),
  })),
);

describe('the description', () => {
  it('is OpenAPI 3.1, for a validator that is not ours', async () => {
    const result = await new Validator().validate(yaml);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(yaml).toMatch(/^openapi: 3\.1\./);
  });

  it('has every route of the server: login, health, metrics, the page', () => {
    expect(operations.map(({ method, path: at }) => `${method} ${at}`).toSorted()).toEqual([
      'GET /api/config',
      'GET /api/runbooks',
      'GET /api/runbooks/{name}',
      'GET /api/runbooks/{name}/required-env',
      'GET /api/runs',
      'GET /api/runs/events',
      'GET /api/runs/{id}',
      'GET /api/runs/{id}/artifact',
      'GET /api/runs/{id}/artifacts',
      'GET /api/runs/{id}/events',
      'GET /api/runs/{id}/output',
      'GET /docs/openapi.yaml',
      'GET /docs/{file}',
      'GET /healthz',
      'GET /login',
      'GET /metrics',
      'GET /readyz',
      'PATCH /api/runbooks/{name}/validate',
      'POST /api/admin/pause',
      'POST /api/admin/resume',
      'POST /api/runbooks/{name}/execute',
      'POST /api/runs',
      'POST /api/runs/{id}/cancel',
      'POST /api/runs/{id}/confirm',
      'POST /api/shutdown',
      'POST /dev-login',
    ]);
  });

  it('says of each who may use it, what it is for, and which refusals there are', () => {
    const tags = (description.document['tags'] as { name: string }[]).map(({ name }) => name);
    for (const { path: at, operation } of operations) {
      const isGuarded = at.startsWith('/api/');
      expect(operation['security']).toEqual(isGuarded ? [{ bearer: [] }] : []);
      // Metrics may have a token of their own.
      expect(Object.hasOwn(asObject(operation['responses']), '401')).toBe(isGuarded || at === '/metrics');
      expect(operation['description']).toMatch(/.{10}/);
      expect(tags).toEqual(expect.arrayContaining(operation['tags'] as string[]));
      // Probes, metrics and files are not counted.
      const isCounted = isGuarded || at === '/dev-login' || at === '/login';
      expect([at, Object.hasOwn(asObject(operation['responses']), '429')]).toEqual([at, isCounted]);
    }
    expect(new Set(operations.map(({ operation }) => operation['operationId'])).size).toBe(operations.length);
  });

  it('has examples that its own schemas accept', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(description.document, 'openapi');
    let count = 0;
    const visit = (value: unknown, pointer: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if ('schema' in value && 'example' in value) {
        const validate = ajv.compile({ $ref: `openapi#${pointer}/schema` });
        expect([pointer, validate(value.example), validate.errors]).toEqual([pointer, true, null]);
        count += 1;
      }
      for (const [name, one] of Object.entries(value))
        if (name !== 'example')
          visit(one, `${pointer}/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`);
    };
    visit(description.document['paths'], '/paths');
    expect(count).toBeGreaterThan(60);
  });

  it('holds for what the server answers', async () => {
    const none = { token: null };
    const anna = { token: await server.token({ roles: ['sre'] }) };
    const requests: readonly (readonly [string, string, object])[] = [
      ['GET', '/api/runbooks', anna],
      ['GET', '/api/runbooks?include=last', anna],
      ['GET', '/api/runbooks?include=first', anna],
      ['GET', '/api/runbooks', none],
      ['HEAD', '/api/runbooks', anna],
      ['GET', '/api/runbooks/Hello.md', anna],
      ['GET', '/api/runbooks/Nothing.md', anna],
      ['GET', '/api/runbooks/Needs.md/required-env', anna],
      ['PATCH', '/api/runbooks/Hello.md/validate', anna],
      ['PATCH', '/api/runbooks/Needs.md/validate', anna],
      ['PATCH', '/api/runbooks/Closed.md/validate', anna],
      [
        'PATCH',
        '/api/runbooks/Hello.md/validate',
        { ...anna, body: '{', headers: { 'content-type': 'application/json' } },
      ],
      ['POST', '/api/runbooks/Hello.md/execute', { ...anna, body: { env_vars: { A: 1 } } }],
      ['POST', '/api/runbooks/Needs.md/execute', anna],
      ['POST', '/api/runbooks/Closed.md/execute', anna],
      ['POST', '/api/runbooks/Hello.md/execute', { ...anna, body: { env_vars: [] } }],
      ['GET', '/api/config', anna],
      ['POST', '/api/shutdown', anna],
      ['POST', '/dev-login', { ...none, body: { subject: 'ben', roles: ['api'] } }],
      ['POST', '/dev-login', { ...none, body: [] }],
      ['GET', '/dev-login', none],
      ['GET', '/healthz', none],
      ['GET', '/readyz', none],
      ['GET', '/metrics', none],
      ['GET', '/metrics?name[]=runbook_info', none],
      ['GET', '/docs/openapi.yaml', none],
      ['GET', '/docs/explorer.html', none],
      ['GET', '/docs/swagger-ui.css', none],
      ['GET', '/docs/explorer.html', { ...none, headers: { range: 'bytes=0-9' } }],
      ['GET', '/docs/explorer.html', { ...none, headers: { range: 'bytes=9999999-' } }],
      ['GET', '/docs/nothing.html', none],
      ['GET', '/nothing', none],
      ['DELETE', '/api/runbooks', none],
      ['OPTIONS', '/api/runbooks', none],
    ];
    const seen = new Map<string, number>();
    for (const [method, at, options] of requests) {
      const answer = await server.request(method, at, options);
      description.expectDescribed(method, at, answer);
      seen.set(`${method} ${at} ${JSON.stringify(options).length}`, answer.status);
    }
    expect(new Set(seen.values())).toEqual(new Set([200, 206, 400, 401, 403, 404, 405, 410, 416]));
  });

  it('is not held by an answer that has something else', async () => {
    const good = await server.get('/healthz', { token: null });
    const spoilt = (change: object) => () => {
      description.expectDescribed('GET', '/healthz', { ...good, ...change });
    };
    expect(spoilt({})).not.toThrow();
    expect(spoilt({ status: 201 })).toThrow('not described');
    expect(spoilt({ text: '{"status":"ok","path":"/root"}' })).toThrow('additional');
    expect(spoilt({ text: '{"status":"well"}' })).toThrow('status');
    expect(spoilt({ headers: { ...good.headers, 'content-type': 'text/html' } })).toThrow('text/html');
    expect(spoilt({ headers: { ...good.headers, 'x-correlation-id': undefined } })).toThrow('X-Correlation-Id');
    expect(() => {
      description.expectDescribed('GET', '/elsewhere', good);
    }).toThrow('address');
  });
});

describe('files of the page', () => {
  it('are asked for again each time, and sent only where they are others', async () => {
    for (const at of ['/docs/explorer.html', '/docs/openapi.yaml', '/docs/swagger-ui-bundle.js']) {
      const first = await server.get(at, { token: null });
      expect(first.headers['cache-control']).toBe('no-cache');
      expect(first.headers['last-modified']).toBeDefined();
      const again = await server.get(at, { token: null, headers: { 'if-none-match': String(first.headers.etag) } });
      expect([at, again.status, again.text]).toEqual([at, 304, '']);
    }
    const part = await server.get('/docs/explorer.html', { token: null, headers: { range: 'bytes=2-8' } });
    expect([part.status, part.text]).toEqual([206, 'doctype'.slice(0, 7)]);
  });

  it('are those of the page alone', async () => {
    for (const at of ['/docs/LICENSE', '/docs/..%2fmain.js', '/docs/%2e%2e/main.js', '/docs/', '/docs', '/docs/.'])
      expect([at, (await server.get(at, { token: null })).status]).toEqual([at, 404]);
    expect(readFileSync(path.join(REPOSITORY, 'dist/explorer/LICENSE'), 'utf8')).toContain('Apache');
  });
});
