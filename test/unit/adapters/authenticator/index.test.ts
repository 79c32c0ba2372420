import { execa } from 'execa';
import { expect, test } from 'vitest';
import { createAuthenticator } from '../../../../src/adapters/authenticator/index.ts';
import type { AuthSettings } from '../../../../src/adapters/authenticator/index.ts';
import { expectRefusal, failureOf } from '../../../helpers/refusals.ts';
import { NOW, SECRET, token } from '../../../helpers/tokens.ts';

const settings: AuthSettings = {
  jwtSecret: SECRET.toString(),
  jwtIssuer: 'dev-idp',
  jwtAudience: 'dev-api',
  jwtRolesClaim: 'roles',
  jwtSubjectClaim: 'sub',
};
const deps = { now: (): Date => NOW };

test('an authenticator is there by name', async () => {
  const authenticator = createAuthenticator('jwt', settings, deps);
  await expect(authenticator.authenticate(token('HS256', SECRET))).resolves.toMatchObject({ subject: 'alice' });
});

test('wrong settings show when it is made ready, and again with each token', async () => {
  const authenticator = createAuthenticator('jwt', { ...settings, jwtSecret: 'secret' }, deps);
  for (const action of [() => authenticator.ready(), () => authenticator.authenticate('x')]) {
    expect(expectRefusal(await failureOf(action), 'settings').message).toMatch(/placeholder/);
  }
});

test('nothing is loaded before there is a token', async () => {
  const index = new URL('../../../../src/adapters/authenticator/index.ts', import.meta.url).href;
  const program = `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks({ resolve(specifier, context, next) { seen.add(specifier); return next(specifier, context); } });
    const loaded = () => ['jose', 'undici', 'yaml'].filter((name) => seen.has(name)).join(' ');
    const { createAuthenticator } = await import(${JSON.stringify(index)});
    const authenticator = createAuthenticator('jwt', ${JSON.stringify(settings)}, { now: () => new Date() });
    console.log('before: ' + loaded());
    await authenticator.ready();
    console.log('after: ' + loaded());
  `;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', program], { timeout: 60_000 });
  expect(stdout.split('\n').map((line) => line.trim())).toEqual(['before:', 'after: jose yaml']);
});
