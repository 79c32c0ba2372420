/** Every setting: type, default, who may set it, whether it is a secret, what it does. */
import { RUNGS } from './containment.ts';
import type { Rung } from './containment.ts';
import { KEY_SETTINGS } from './key-settings.ts';
import { LIMIT_SETTINGS } from './limit-settings.ts';
import { parseServerAddress } from './server-address.ts';
import { age, choice, define, duration, flag, integer, list, optionalText, place, size, text } from './setting.ts';

export const SETTINGS = {
  runbooksDir: place('folder', {
    scope: 'project',
    serverAliases: ['RUNBOOKS_DIR'],
    description: 'Folder of the runbooks; without it the nearest `runbooks/` up to the root of the repository.',
  }),
  stateDir: place('folder', {
    scope: 'user',
    description: 'Folder of the ledger and the outputs; without it `$XDG_STATE_HOME/runbook`.',
  }),
  executionDir: place('folder', {
    scope: 'user',
    serverAliases: ['EXECUTION_DIR'],
    description:
      'Folder in which the private work folders are made; without it the system’s folder for temporary files.',
  }),
  history: choice(['auto', 'file', 'ledger', 'none'], 'auto', {
    scope: 'user',
    description:
      'Where a run is recorded besides the ledger: in the document (`file`), nowhere else (`ledger`), by what is possible (`auto`), or not at all (`none`).',
  }),
  keepWorkdir: choice(['always', 'failed', 'never'], 'failed', {
    scope: 'user',
    description:
      'Whether the work folder of a run is kept: always, after a run of several steps that did not succeed (`failed`), or never.',
  }),
  timeout: duration(null, {
    scope: 'project',
    serverAliases: ['SCRIPT_TIMEOUT_SECONDS'],
    description:
      'How long a run may take where the runbook declares nothing; none by default, 10 minutes for a server and with `CI=true`.',
  }),
  maxTimeout: duration(null, {
    scope: 'operator',
    aliases: ['MAX_TIMEOUT_SECONDS'],
    description: 'The longest time any run may take, whatever the runbook declares.',
  }),
  stopGrace: duration(5000, {
    scope: 'operator',
    aliases: ['STOP_GRACE_SECONDS'],
    description: 'Time between the polite and the forced end of a script.',
  }),
  containment: choice(['auto', ...RUNGS], 'auto', {
    scope: 'operator',
    description: 'What holds the processes of a run: the strongest there is (`auto`), or no stronger than this.',
  }),
  requireContainment: define<Rung | null>(
    `one of ${RUNGS.join(', ')}`,
    (value) => RUNGS.find((rung) => rung === value),
    null,
    {
      scope: 'operator',
      aliases: ['REQUIRE_CONTAINMENT'],
      description: 'A run that can only be held by less than this is refused.',
    },
  ),
  maxMemory: size(null, {
    scope: 'operator',
    aliases: ['MAX_MEMORY'],
    description: 'Memory of all processes of a run together, whatever the runbook declares.',
  }),
  maxProcesses: integer(null, 1, {
    scope: 'operator',
    aliases: ['MAX_PROCESSES'],
    description: 'Processes of a run at once, whatever the runbook declares.',
  }),
  maxFileSize: size(null, {
    scope: 'operator',
    aliases: ['MAX_FILE_SIZE'],
    description: 'Size of a file that a script may write.',
  }),
  maxOpenFiles: integer(null, 16, {
    scope: 'operator',
    aliases: ['MAX_OPEN_FILES'],
    description: 'Files that a process of a script may have open.',
  }),
  maxOutput: size(10 * 1024 ** 2, {
    scope: 'operator',
    serverAliases: ['MAX_OUTPUT_SIZE_BYTES'],
    description: 'Output of a run that is kept (first and last half); what goes to the terminal is not cut.',
  }),
  keepOutput: age(90 * 24 * 3_600_000, {
    scope: 'operator',
    description: 'How long output and artifacts of a run are kept; its record stays.',
  }),
  maxOutputStore: size(5 * 1024 ** 3, {
    scope: 'operator',
    description: 'Output and artifacts of all runs together; beyond that the oldest go. Records stay.',
  }),
  maxStreams: integer(20, 1, {
    scope: 'operator',
    serverAliases: ['MAX_STREAMS_PER_SUBJECT'],
    description: 'Streams of events that one subject may read from a server at once.',
  }),
  maxRecursionDepth: integer(50, 0, {
    scope: 'operator',
    serverAliases: ['MAX_RECURSION_DEPTH'],
    description: 'How many runbooks may call each other in a row; 0 refuses every run, as in Stage0.',
  }),
  passEnv: list({
    scope: 'user',
    description:
      'Names or patterns (`AWS_*`) of your environment that scripts see although the runbook does not declare them.',
  }),
  reportTo: define<string | null>('address of a server, https (http on this machine)', parseServerAddress, null, {
    scope: 'user',
    description: 'Server that gets the record of every run, too, once it has ended; what cannot be sent now is kept.',
  }),
  token: optionalText('token', { scope: 'user', secret: true, description: 'The JWT that says who you are.' }),
  jwtSecret: optionalText('text of 32 bytes or more', {
    scope: 'operator',
    secret: true,
    aliases: ['JWT_SECRET'],
    description: 'Shared secret that signs tokens (HS256, HS384, HS512).',
  }),
  jwtPublicKeyFile: place('file', {
    scope: 'operator',
    aliases: ['JWT_PUBLIC_KEY_FILE'],
    description: 'PEM file of the public key that verifies tokens.',
  }),
  jwtJwks: place('file or https URL', {
    scope: 'operator',
    aliases: ['JWT_JWKS', 'JWT_JWKS_URL', 'JWT_JWKS_FILE'],
    description: 'Key set (JWKS) that verifies tokens.',
  }),
  jwtAlgorithm: optionalText('name', {
    scope: 'operator',
    aliases: ['JWT_ALGORITHM'],
    description: 'The algorithm tokens are signed with; HS256 with a secret, otherwise what the key says.',
  }),
  jwtIssuer: text('dev-idp', {
    scope: 'operator',
    aliases: ['JWT_ISSUER'],
    description: 'Issuer (`iss`) that tokens must name.',
  }),
  jwtAudience: text('dev-api', {
    scope: 'operator',
    aliases: ['JWT_AUDIENCE'],
    description: 'Audience (`aud`) that tokens must name; several separated by commas.',
  }),
  jwtRolesClaim: text('roles', {
    scope: 'operator',
    aliases: ['JWT_ROLES_CLAIM'],
    description: 'Claim that holds the roles; a path like `realm_access.roles` is allowed.',
  }),
  jwtSubjectClaim: text('sub', {
    scope: 'operator',
    aliases: ['JWT_SUBJECT_CLAIM'],
    description: 'Claim that names the person or machine.',
  }),
  jwtIssuersFile: place('YAML file', {
    scope: 'operator',
    aliases: ['JWT_ISSUERS_FILE'],
    description: 'Several issuers, each with its keys: see docs/tokens.md.',
  }),
  ...KEY_SETTINGS,
  apiProtocol: text('http', {
    scope: 'operator',
    serverAliases: ['API_PROTOCOL'],
    description: 'Scheme of the address that scripts get as RUNBOOK_URL.',
  }),
  apiHost: text('localhost', {
    scope: 'operator',
    serverAliases: ['API_HOST'],
    description: 'Host of the address that scripts get as RUNBOOK_URL.',
  }),
  apiPort: integer(8083, 0, {
    scope: 'operator',
    serverAliases: ['API_PORT'],
    description:
      'Port that the server listens on (0: any that is free), and of the address that scripts get as RUNBOOK_URL.',
  }),
  bind: text('0.0.0.0', { scope: 'operator', description: 'Address that the server listens on.' }),
  publicUrl: optionalText('URL', {
    scope: 'operator',
    description: 'Address of the runbooks that scripts get as RUNBOOK_URL, where it is not made of the three above.',
  }),
  scriptPath: text('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', {
    scope: 'operator',
    description: 'PATH of scripts that a server runs.',
  }),
  openEnv: list({
    scope: 'operator',
    description:
      'Names or patterns that callers over HTTP may set although they choose programs, keys or ways through the network: see docs/environment.md.',
  }),
  enableLogin: flag(false, {
    scope: 'operator',
    serverAliases: ['ENABLE_LOGIN'],
    description: 'Whether POST /dev-login gives a token to whoever asks. For development only.',
  }),
  jwtTtl: duration(8 * 3_600_000, {
    scope: 'operator',
    serverAliases: ['JWT_TTL_MINUTES'],
    description: 'How long tokens of POST /dev-login hold.',
  }),
  loginClientId: optionalText('name', {
    scope: 'operator',
    serverAliases: ['LOGIN_CLIENT_ID'],
    description: 'Client that `runbook login` is at the (first) issuer of OIDC_ISSUER; without it that has no login.',
  }),
  loginScope: text('openid', {
    scope: 'operator',
    serverAliases: ['LOGIN_SCOPE'],
    description:
      'What `runbook login` asks the issuer for, separated by blanks; `offline_access` for tokens that renew.',
  }),
  env: optionalText('name', {
    scope: 'operator',
    description: 'What this installation is for; `production` refuses what is for development only.',
  }),
  adminClaim: optionalText('NAME=VALUE,…', {
    scope: 'operator',
    serverAliases: ['ADMIN_CLAIM'],
    description: 'Claim, and the values of it, that make an administrator: settings, pausing, other people’s runs.',
  }),
  allowedOrigins: list({
    scope: 'operator',
    serverAliases: ['ALLOWED_ORIGINS'],
    description:
      'Origins whose pages may call the server from a browser, exactly as browsers send them; none by default.',
  }),
  enableHsts: flag(false, {
    scope: 'operator',
    serverAliases: ['ENABLE_HSTS'],
    description: 'Whether answers tell browsers to come back by https only (Strict-Transport-Security).',
  }),
  trustProxy: list({
    scope: 'operator',
    serverAliases: ['TRUST_PROXY'],
    description: 'Addresses of proxies (CIDR) whose X-Forwarded-* headers say who calls.',
  }),
  maxConcurrentRuns: integer(null, 1, {
    scope: 'operator',
    serverAliases: ['MAX_CONCURRENT_RUNS'],
    description: 'How many runs a server carries out at once; without it two for each processor. The others wait.',
  }),
  maxQueuedRuns: integer(100, 0, {
    scope: 'operator',
    serverAliases: ['MAX_QUEUED_RUNS'],
    description: 'How many runs may wait for a place in a server; beyond that requests are refused with 503.',
  }),
  ...LIMIT_SETTINGS,
  metricsToken: optionalText('text of 16 characters or more', {
    scope: 'operator',
    secret: true,
    serverAliases: ['METRICS_TOKEN'],
    description: 'What GET /metrics has to be asked with (`Authorization: Bearer …`); without it everybody may.',
  }),
  drainTimeout: duration(null, {
    scope: 'operator',
    serverAliases: ['DRAIN_TIMEOUT_SECONDS'],
    description: 'How long a server that is to end waits for its runs; without it up to their own limits.',
  }),
  confirmTimeout: duration(15 * 60_000, {
    scope: 'operator',
    serverAliases: ['CONFIRM_TIMEOUT_SECONDS'],
    description:
      'How long a step of a run that asks over HTTP (`confirm=ask`) waits for an answer; then it counts as no.',
  }),
  loggingLevel: choice(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'], 'INFO', {
    scope: 'operator',
    serverAliases: ['LOGGING_LEVEL'],
    description: 'The least that a server logs.',
  }),
  builtAt: text('LOCAL', { scope: 'operator', serverAliases: ['BUILT_AT'], description: 'When the image was built.' }),
  uiHeader: text('Stage0 Runbook Automation', {
    scope: 'operator',
    serverAliases: ['UI_HEADER'],
    description: 'Title of the web page.',
  }),
  mountDir: optionalText('folder', {
    scope: 'operator',
    serverAliases: ['MOUNT_DIR'],
    description: 'The folder of work folders as the host sees it (scripts get RUNBOOK_EXEC_DIR_HOST).',
  }),
} as const;
