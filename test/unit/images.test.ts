/** Images bring defaults: whatever a compose file sets, by any name, is stronger. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseSettingsFile } from '../../src/cli/settings-file.ts';
import { serverSettings } from '../../src/cli/settings.ts';
import { environmentName, environmentNames, fileKey, resolveSettings, SETTING_NAMES } from '../../src/core/settings.ts';
import { REPOSITORY } from '../helpers/cli.ts';

const images = readdirSync(REPOSITORY).filter((name) => /^Dockerfile(?:\.|$)/.test(name));
const textOf = (image: string): string =>
  readFileSync(path.join(REPOSITORY, image), 'utf8').replaceAll('\\\n', ' ').replaceAll(/^#.*$/gm, '');

/** Names in `ENV` that a weaker name of the same setting could not change. */
function stubborn(text: string): readonly string[] {
  const names = [...text.matchAll(/^ENV\s+(.*)$/gm)].flatMap(([, rest = '']) =>
    [...rest.matchAll(/(?:^|\s)(\w+)[=\s]/g)].map(([, name = '']) => name),
  );
  return names.filter((name) =>
    SETTING_NAMES.some((setting) => {
      const known = environmentNames(setting, 'server');
      return environmentName(setting) === name && known.some((other) => !other.startsWith('RUNBOOK_'));
    }),
  );
}

test.each(images)('%s sets no variable that is stronger than one which a compose file may have', (image) => {
  expect(textOf(image)).toMatch(/^ENV RUNBOOK_STATE_DIR=/m);
  expect(stubborn(textOf(image))).toEqual([]);
  expect(stubborn('ENV A=1 RUNBOOK_RUNBOOKS_DIR=/x\nENV RUNBOOK_API_PORT 80\n')).toEqual([
    'RUNBOOK_RUNBOOKS_DIR',
    'RUNBOOK_API_PORT',
  ]);
});

test.each(images)('the settings file of %s holds, and gives way to the environment', (image) => {
  const [, line = ''] = /echo '([^']*)' > \/etc\/runbook\/config\.yaml/.exec(textOf(image)) ?? [];
  const values = parseSettingsFile('/etc/runbook/config.yaml', line);
  expect([...values.keys()].map(fileKey)).toEqual(['runbooks_dir']);
  const file = { origin: 'operator file', values } as const;
  expect(resolveSettings([file], 'server').settings.runbooksDir).toBe('/runbooks');
  const { text = '' } = serverSettings(new Map([['RUNBOOKS_DIR', '/opt/x']])).origins.get('runbooksDir') ?? {};
  const composed = {
    origin: 'environment',
    values: new Map([['runbooksDir' as const, { text: text ?? '', label: '' }]]),
  } as const;
  expect(resolveSettings([composed, file], 'server').settings.runbooksDir).toBe('/opt/x');
});
