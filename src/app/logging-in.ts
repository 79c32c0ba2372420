/** What `runbook login` asks of servers and issuers; loaded only there. */
export { beginLogin, discover, pollLogin } from '../adapters/login/issuer.ts';
export { askOffer, askSubject, developmentLogin } from '../adapters/login/server.ts';
