import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  DENIED_NAMES,
  deniedFromAnybody,
  deniedFromOthers,
  isEnvironmentName,
} from '../../../src/core/environment-names.ts';
import { LOCAL_NAMES } from '../../../src/core/foreign-names.ts';

test.each(['A', '_', 'a1', 'PATH', 'DB_HOST'])('%s is a name', (name) => {
  expect(isEnvironmentName(name)).toBe(true);
});

test.each(['', '1A', 'A-B', 'A B', 'A=B', 'A\n', '\nA', 'Ä', 'A.B', 'BASH_FUNC_x%%'])('%j is no name', (name) => {
  expect(isEnvironmentName(name)).toBe(false);
});

test.each(
  (
    'RUNBOOK_OUTPUT RUNBOOK_ LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES BASH_ENV ENV BASH_FUNC_ls%% ' +
    'SHELLOPTS BASHOPTS PS4 IFS ZDOTDIR NODE_OPTIONS PYTHONPATH PYTHONHOME PYTHONSTARTUP PERL5LIB PERL5OPT RUBYOPT RUBYLIB ' +
    'JAVA_TOOL_OPTIONS GIT_SSH GIT_SSH_COMMAND GIT_EXEC_PATH GIT_CONFIG_COUNT GCONV_PATH OPENSSL_CONF PYTHONWARNINGS PERLLIB FPATH'
  ).split(' '),
)('nobody may set %s', (name) => {
  expect(deniedFromAnybody(name)).toBe(true);
});

test.each([
  'PATH',
  'HOME',
  'LD',
  'MY_LD_PRELOAD',
  'ENVIRONMENT',
  'PS1',
  'RUNBOOKS',
  'GIT_AUTHOR_NAME',
  'KUBECONFIG',
  '__proto__',
])('anybody may set %s', (name) => {
  expect(deniedFromAnybody(name)).toBe(false);
});

test.each(
  (
    'PATH HOME SSH_AUTH_SOCK SSH_ASKPASS GIT_DIR GIT_AUTHOR_NAME HTTP_PROXY https_proxy NO_PROXY all_proxy LD_PRELOAD ' +
    'MAKEFLAGS EDITOR SHELL CURL_HOME SSL_CERT_FILE SYSTEMD_PAGER KUBE_EDITOR C_INCLUDE_PATH NPM_CONFIG_REGISTRY'
  ).split(' '),
)('only the local user may set %s, if anybody', (name) => {
  expect(deniedFromOthers(name)).toBe(true);
});

test.each(
  'NODE_ENV TF_VAR_name AWS_REGION PYTHONUNBUFFERED DOCKER_TAG EDITORS MAKER GOAL VERSION XPATH PATHS HOMES MY_SSH_KEY SSH LEGIT_NAME PROXY PROXY_HOST proxy'.split(
    ' ',
  ),
)('a script may pass on %s', (name) => {
  expect(deniedFromOthers(name)).toBe(false);
});

test('every entry of the lists denies, and docs/environment.md has those of strangers', () => {
  const text = readFileSync('docs/environment.md', 'utf8');
  for (const name of LOCAL_NAMES) {
    expect(deniedFromOthers(name.replace('*', 'X'))).toBe(true);
    expect(text).toContain(`\`${name}\``);
  }
  for (const name of DENIED_NAMES) expect(deniedFromAnybody(name.replace('*', 'X'))).toBe(true);
});
