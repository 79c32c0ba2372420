/** How the server is set up, and who asks: Stage0's list for everybody's page, and all settings with their origins. */
import { Type } from 'typebox';
import { environmentName, SETTING_NAMES, SETTINGS } from '../../core/settings.ts';
import type { SettingName } from '../../core/settings.ts';
import { identityOf, isAdmin } from '../access.ts';
import type { Http, ServerContext } from '../context.ts';
import { addressOf } from '../forwarded.ts';

/** Stage0's names in Stage0's order, and how it writes a value. */
const ITEMS: readonly (readonly [string, SettingName, (value: unknown) => string])[] = [
  ['BUILT_AT', 'builtAt', text],
  ['LOGGING_LEVEL', 'loggingLevel', text],
  ['RUNBOOKS_DIR', 'runbooksDir', text],
  ['EXECUTION_DIR', 'executionDir', text],
  ['MOUNT_DIR', 'mountDir', text],
  ['API_PROTOCOL', 'apiProtocol', text],
  ['API_HOST', 'apiHost', text],
  ['UI_HEADER', 'uiHeader', text],
  ['JWT_ALGORITHM', 'jwtAlgorithm', (value) => text(value) || 'HS256'],
  ['JWT_ISSUER', 'jwtIssuer', text],
  ['JWT_AUDIENCE', 'jwtAudience', text],
  ['API_PORT', 'apiPort', text],
  ['JWT_TTL_MINUTES', 'jwtTtl', (value) => String(Number(value) / 60_000)],
  ['SCRIPT_TIMEOUT_SECONDS', 'timeout', (value) => (value === null ? '' : String(Number(value) / 1000))],
  ['MAX_OUTPUT_SIZE_BYTES', 'maxOutput', text],
  ['MAX_RECURSION_DEPTH', 'maxRecursionDepth', text],
  ['ENABLE_LOGIN', 'enableLogin', text],
  ['JWT_SECRET', 'jwtSecret', () => 'secret'],
];

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

const Answer = Type.Object(
  {
    config_items: Type.Array(Type.Object({ name: Type.String(), value: Type.String(), from: Type.String() })),
    token: Type.Object({
      user_id: Type.String(),
      roles: Type.Array(Type.String()),
      remote_ip: Type.String(),
      claims: Type.Record(Type.String(), Type.Unknown()),
    }),
    settings: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String(),
          environment: Type.String(),
          value: Type.Union([Type.String(), Type.Null()], {
            description: 'Null: only administrators are told it.',
          }),
          origin: Type.String(),
          label: Type.Union([Type.String(), Type.Null()]),
          description: Type.String(),
        }),
      ),
    ),
  },
  { title: 'Config' },
);

export function configRoute(http: Http, context: ServerContext): void {
  http.get(
    '/api/config',
    {
      config: { access: 'person' },
      schema: { response: { 200: Answer } },
    },
    async (request) => {
      const identity = identityOf(request);
      const { subject, roles, claims } = identity;
      const isForAll = context.settings.adminClaim === null;
      const admin = isAdmin(context, identity);
      return {
        config_items: isForAll || admin ? items(context) : [],
        token: {
          user_id: subject,
          roles: [...roles],
          remote_ip: addressOf(request),
          claims: { ...claims, user_id: subject },
        },
        ...(isForAll || admin ? { settings: settingsOf(context, admin) } : {}),
      };
    },
  );
}

function items({ app, settings, resolved }: ServerContext): { name: string; value: string; from: string }[] {
  return ITEMS.map(([name, setting, write]) => {
    const origin = resolved.origins.get(setting)?.origin ?? 'default';
    const value = setting === 'runbooksDir' ? app.runbooksDir : settings[setting];
    return { name, value: write(value), from: origin === 'default' ? 'default' : 'environment' };
  });
}

/** What Stage0 does not tell, and where files are, is for administrators; where nobody is one, everybody sees the origins. */
function settingsOf({ resolved }: ServerContext, isWhole: boolean) {
  return SETTING_NAMES.map((name) => {
    const { origin, label, text: given } = resolved.origins.get(name) ?? { origin: 'default', label: null, text: null };
    const { secret, description } = SETTINGS[name];
    const value = secret && given !== null ? '***' : (given ?? '');
    const isTold = isWhole || ITEMS.some(([, item]) => item === name);
    return {
      name,
      environment: environmentName(name),
      value: isTold ? value : null,
      origin,
      label: isWhole || !origin.endsWith(' file') ? label : null,
      description,
    };
  });
}
