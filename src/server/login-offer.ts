/** How people get a token for this server, for `runbook login`. */
import { Type } from 'typebox';
import type { LoginOffer } from '../core/login.ts';
import type { Settings } from '../core/settings.ts';

export const Offer = Type.Union(
  [
    Type.Object({ issuer: Type.String(), clientId: Type.String(), scope: Type.String() }),
    Type.Literal('development'),
    Type.Null(),
  ],
  { description: 'An issuer that knows the device flow; `development`: `POST /dev-login`; null: there is no login' },
);

export function loginOfferOf({ oidcIssuer, loginClientId, loginScope, enableLogin }: Settings): LoginOffer {
  const [issuer] = oidcIssuer;
  if (issuer !== undefined && loginClientId !== null) return { issuer, clientId: loginClientId, scope: loginScope };
  return enableLogin ? 'development' : null;
}
