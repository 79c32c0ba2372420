/** `runbook login`: a token for a server, kept for the commands that ask it; and `runbook logout`. */
import type { App } from '../../app.ts';
import { createLoginStore } from '../../app/login.ts';
import { RunbookError } from '../../core/errors.ts';
import type { DeviceOffer, StoredLogin, Tokens } from '../../core/login.ts';
import { stopReasonOf } from '../../core/run.ts';
import { originOf, parseServerAddress } from '../../core/server-address.ts';
import { signalNumber } from '../../core/signals.ts';
import { sleep } from '../../engine/wait.ts';
import { printJson, withApp } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { inline } from '../render.ts';
import type { Terminal } from '../terminal.ts';

export interface LoginOptions extends CommonOptions {
  readonly server?: string;
  readonly subject?: string;
  readonly role?: readonly string[];
}

/** Null: the person does not want to wait any more. */
type Got = { readonly tokens: Tokens; readonly renewal: StoredLogin['renewal'] } | null;

export async function loginCommand(terminal: Terminal, options: LoginOptions): Promise<number> {
  return await withApp(
    terminal,
    options,
    async ({ app, style }) => {
      const server = readServer(options, app);
      const { askOffer, askSubject, developmentLogin } = await import('../../app/logging-in.ts');
      const offer = await askOffer(server);
      if (offer === null) throw noLogin(server);
      const isWish = options.subject !== undefined || options.role !== undefined;
      if (isWish && offer !== 'development')
        throw new RunbookError(
          'usage',
          '--subject and --role are for a development login, which this server has not got.',
          {
            fix: 'Leave them out: its issuer says who you are.',
          },
        );
      return await terminal.withStopSignal(async ({ stop }) => {
        const got: Got =
          offer === 'development'
            ? { tokens: await developmentLogin(server, wishOf(options), app.clock.now()), renewal: null }
            : await byDevice(terminal, app, server, offer, stop);
        if (got === null) return 128 + signalNumber(stopReasonOf(stop).signal);
        const { tokens, renewal } = got;
        // A token that the server does not take is not kept.
        const subject = await askSubject(server, tokens.accessToken);
        await createLoginStore(app.stateDir).write({ origin: originOf(server), ...tokens, renewal });
        const { expiresAt } = tokens;
        const isRenewed = tokens.refreshToken !== null && renewal !== null;
        if (options.json === true)
          await printJson(terminal, 'login', { server, subject, expiresAt, renewed: isRenewed });
        else if (options.quiet !== true) {
          const until = isRenewed
            ? 'until `runbook logout`, or until its issuer ends it'
            : `until ${expiresAt ?? 'it ends'}`;
          terminal.say(style.dim(inline(`logged in to ${server} as ${subject}, ${until}`)));
        }
        return 0;
      });
    },
    { ledgerUse: 'look' },
  );
}

export async function logoutCommand(terminal: Terminal, options: LoginOptions): Promise<number> {
  return await withApp(
    terminal,
    options,
    async ({ app, style }) => {
      const server = readServer(options, app);
      const wasLoggedIn = await createLoginStore(app.stateDir).remove(originOf(server));
      if (options.json === true) await printJson(terminal, 'logout', { server, loggedOut: wasLoggedIn });
      else if (options.quiet !== true)
        terminal.say(style.dim(inline(wasLoggedIn ? `logged out of ${server}` : `there is no login for ${server}`)));
      return 0;
    },
    { ledgerUse: 'look' },
  );
}

/** The person agrees in a browser, on whatever machine. */
async function byDevice(
  terminal: Terminal,
  app: App,
  server: string,
  offer: DeviceOffer,
  stop: AbortSignal,
): Promise<Got> {
  const { beginLogin, discover, pollLogin } = await import('../../app/logging-in.ts');
  const endpoints = await discover(offer.issuer);
  const code = await beginLogin(offer, endpoints);
  // Whoever operates the server has chosen the issuer: it is shown before anybody tells it anything.
  terminal.say(`To log in to ${inline(server)}, open ${inline(code.completeUri ?? code.verificationUri)}`);
  terminal.say(`and confirm the code ${inline(code.userCode)} there (${inline(offer.issuer)}). Ctrl-C leaves.`);
  const until = app.clock.monotonicMs() + code.expiresInMs;
  let pauseMs = code.intervalMs;
  for (;;) {
    await sleep(pauseMs, stop);
    if (stop.aborted) return null;
    const poll = await pollLogin(offer, endpoints, code, () => app.clock.now());
    if (poll.kind === 'tokens')
      return { tokens: poll.tokens, renewal: { tokenEndpoint: endpoints.token, clientId: offer.clientId } };
    if (poll.kind === 'refused') throw notAgreed(offer.issuer, poll.reason);
    if (poll.kind === 'slower') pauseMs += 5000;
    if (app.clock.monotonicMs() + pauseMs > until) throw notAgreed(offer.issuer, 'was not told in time');
  }
}

function readServer({ server }: LoginOptions, { settings }: App): string {
  const given = server === undefined ? settings.reportTo : parseServerAddress(server);
  if (given !== null && given !== undefined) return given;
  throw server === undefined
    ? new RunbookError('usage', 'No server is named.', { fix: 'Write --server https://runbooks.example.com.' })
    : new RunbookError('usage', `--server: “${server}” is not the https address of a server.`, {
        fix: 'Write it with https://; http is for servers on this machine.',
      });
}

function wishOf({ subject, role }: LoginOptions): { readonly subject?: string; readonly roles?: readonly string[] } {
  return { ...(subject === undefined ? {} : { subject }), ...(role === undefined ? {} : { roles: role }) };
}

function noLogin(server: string): RunbookError {
  return new RunbookError('unavailable', `${server} has no login.`, {
    fix: 'Give a token with --token-file or RUNBOOK_TOKEN; who operates it can set OIDC_ISSUER and LOGIN_CLIENT_ID.',
  });
}

function notAgreed(issuer: string, why: string): RunbookError {
  return new RunbookError('unauthenticated', `Nobody is logged in: ${issuer} ${why}.`, {
    fix: 'Call `runbook login` again.',
  });
}
