/** Proposals from pages: ten that look like those of a wiki, and any that can be put together. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRunbook } from '../../../../src/core/parse/parse.ts';
import { proposeRunbook } from '../../../../src/core/propose/propose.ts';
import { REPOSITORY } from '../../../helpers/cli.ts';
import { times, tries } from '../../../helpers/property.ts';
import { NEAR_CLAIMS } from '../parse/cases-claims.ts';

const PAGES = path.join(REPOSITORY, 'test/fixtures/pages');
const PROPOSALS = path.join(REPOSITORY, 'test/fixtures/proposals');
const NAMES = readdirSync(PAGES).map((file) => file.replace(/\.md$/, ''));
const OPTIONS = { name: null, fallbackName: 'page', title: null, claims: [] };

const pageOf = (name: string): string => readFileSync(path.join(PAGES, `${name}.md`), 'utf8');
const propose = (page: string) => proposeRunbook(page, OPTIONS);
const runbookOf = (page: string) => {
  const { name, text } = propose(page);
  const { runbook, problems } = parseRunbook(Buffer.from(text), { fileName: `${name}.md` });
  expect(problems).toEqual([]);
  if (runbook === null) throw new Error('no runbook and no problem');
  return runbook;
};
const scriptsOf = (page: string): readonly (string | undefined)[] =>
  runbookOf(page).steps.map(({ script }) => script?.body);

describe('pages of a wiki', () => {
  test('there are ten', () => {
    expect(NAMES).toHaveLength(10);
  });

  test.each(NAMES)('%s: the proposal and what is to be looked at', (name) => {
    const { text, notes } = propose(pageOf(name));
    const told = notes.map((note) => `line ${note.line}: ${note.text}`).join('\n');
    expect(`${text}\n<!-- look at\n${told}\n-->\n`).toBe(readFileSync(path.join(PROPOSALS, `${name}.md`), 'utf8'));
    expect(runbookOf(pageOf(name)).kind).toBe('steps');
  });

  test.each(NAMES)('%s: every note names a line of the page', (name) => {
    const lines = pageOf(name).split('\n').length;
    for (const { line } of propose(pageOf(name)).notes) expect(line >= 1 && line <= lines).toBe(true);
  });
});

const code = (tag: string, ...lines: readonly string[]): string =>
  `## Do it\n\n\`\`\`${tag}\n${lines.join('\n')}\n\`\`\`\n`;

describe('transcripts', () => {
  test.each([
    ['prompts of a user', 'console', ['$ df -h', 'Filesystem Size', '$ du -sh'], 'df -h\ndu -sh'],
    ['prompts of root', 'console', ['# systemctl stop x', 'stopped'], 'systemctl stop x'],
    ['a host in the prompt', '', ['ops@db-1:~$ uptime', ' 10:00 up'], 'uptime'],
    ['brackets', 'bash', ['[root@db-1 ~]# uptime', ' 10:00 up'], 'uptime'],
    ['lines that go on', 'bash', ['$ curl \\', '>   -fsS x', 'ok'], 'curl \\\n  -fsS x'],
    ['a text for a command', 'sh', ['$ cat > a <<EOF', 'b', 'EOF', 'done'], 'cat > a <<EOF\nb\nEOF'],
    ['comments, not prompts', 'bash', ['# look first', 'df -h'], '# look first\ndf -h'],
    ['a root prompt without a tag', '', ['# systemctl stop x'], 'systemctl stop x'],
    ['a variable is no prompt', 'bash', ['echo a', 'echo "$ b"'], 'echo a\necho "$ b"'],
  ])('%s', (_, tag, lines, script) => {
    expect(scriptsOf(code(tag, ...lines))).toEqual([script]);
  });

  test.each([
    ['another language', 'python', ['print(1)']],
    ['what no program begins', '', ['Filesystem  Size', '/dev/sda1 10G']],
    ['data', 'json', ['{"a": 1}']],
  ])('%s is kept as text', (_, tag, lines) => {
    const { text, notes } = propose(`1. Look\n\n${code(tag, ...lines).replace('## Do it\n', '')}`);
    expect(text).toContain(`\`\`\`text\n${lines.join('\n')}\n\`\`\``);
    expect(notes.map((note) => note.text).join()).toContain('is kept as text');
  });
});

describe('places to fill in', () => {
  test.each([
    ['<host>', 'ping <host>', 'ping "$HOST"', 'HOST'],
    ['two words', 'ping <host name>', 'ping "$HOST_NAME"', 'HOST_NAME'],
    ['{{host}}', 'ping {{ host }}', 'ping "$HOST"', 'HOST'],
    ['HOST_HERE', 'ping HOST_HERE', 'ping "$HOST"', 'HOST'],
    ['YOUR_HOST', 'ping YOUR_HOST', 'ping "$HOST"', 'HOST'],
    ['within a word', 'ping db-<host>.example.com', 'ping db-"$HOST".example.com', 'HOST'],
    ['in double quotes', 'echo "a <host> b"', 'echo "a ${HOST} b"', 'HOST'],
    ['in single quotes', "echo 'a <host> b'", `echo 'a '"$HOST"' b'`, 'HOST'],
    ['$HOST', 'ping $HOST', 'ping $HOST', 'HOST'],
    ['${HOST}', 'ping "${HOST}"', 'ping "${HOST}"', 'HOST'],
    [
      'a name that would change how programs start',
      'echo <path> <env>',
      'echo "$TARGET_PATH" "$TARGET_ENV"',
      'TARGET_PATH,TARGET_ENV',
    ],
    ['a digit first', 'echo <2nd>', 'echo <2nd>', ''],
    ['what is no place: redirection', 'sort <in >out', 'sort <in >out', ''],
    ['what is no place: a template', "docker ps --format '{{.Names}}'", "docker ps --format '{{.Names}}'", ''],
    ['what is no place: set before', 'A=1; echo $A', 'A=1; echo $A', ''],
    ['what is no place: a loop', 'for x in 1 2; do echo $x; done', 'for x in 1 2; do echo $x; done', ''],
    ['what is no place: a default', 'echo ${A:-1}', 'echo ${A:-1}', ''],
    ['what is no place: of the shell', 'echo $HOME $RANDOM $1', 'echo $HOME $RANDOM $1', ''],
    ['what is no place: a comment', 'echo a # <host>', 'echo a # <host>', ''],
  ])('%s', (_, line, script, variables) => {
    const { steps, env } = runbookOf(code('bash', line));
    expect(steps[0]?.script?.body).toBe(script);
    expect(env.map(({ name }) => name).join()).toBe(variables);
  });

  test('what one step sets and another reads is passed on', () => {
    const { steps, env } = runbookOf(`${code('bash', 'OLD=$(cat v)')}\n${code('bash', 'echo $OLD')}`);
    expect(steps[0]).toMatchObject({ outputs: ['OLD'] });
    expect(steps[0]?.script?.body).toBe('OLD=$(cat v)\necho "OLD=$OLD" >> "$RUNBOOK_OUTPUT"');
    expect(env).toEqual([]);
  });
});

describe('what is asked first', () => {
  test.each([
    'rm -rf /srv/old',
    'kubectl drain n',
    'psql -c "DROP TABLE a"',
    'git push --force',
    'aws ec2 terminate instances',
    'terraform destroy',
    "psql -h $REPLICA -c 'select pg_promote()'",
    'systemctl stop nginx',
    'sudo systemctl --user restart nginx',
    'systemctl disable --now nginx',
    'redis-cli -h db FLUSHALL',
    "psql -c 'VACUUM FULL orders'",
    'kubectl -n prod rollout restart deployment/a',
    'kubectl delete pod a',
    'kubectl scale deployment/a --replicas 0',
    'rm -r old',
    'rm old -rf',
    'dd if=a.img of=/dev/sdb',
    'mkfs -t ext4 /dev/sdb1',
    'mkfs.ext4 /dev/sdb1',
    "mysql -e 'TRUNCATE orders'",
    'psql -c "delete from orders"',
    'terraform apply',
    'sudo reboot',
    'shutdown -h now',
    'poweroff',
    'kill -9 4711',
    'git push origin main -f',
    'aws ec2 terminate-instances --instance-ids i-1',
    'aws s3api delete-bucket --bucket b',
    'ssh db-1 "systemctl stop postgresql"',
    'ls | xargs rm -rf',
    'systemctl status a && systemctl stop a',
    "echo 'DROP TABLE a' | psql",
    './promote_replica.sh',
    'ssh db-1 ./drain-node.sh',
    'find . -name "*.old" -delete',
    'kubectl get pods -o name | xargs kubectl delete',
    'ls $(kill 1)',
  ])('%s', (line) => {
    expect(runbookOf(code('bash', line)).steps[0]?.confirm).toMatch(/^Go on with “Do it”\? It uses /);
  });
  test.each([
    'ls -l',
    'echo backdrop',
    'kubectl get pods',
    '# rm -rf /',
    'systemctl status nginx',
    'sudo systemctl is-enabled restart',
    'kubectl -n delete get pods',
    'kubectl describe node drain',
    'kubectl logs -l app=kill --tail 3',
    'grep -E "kill|drop" /var/log/syslog',
    'echo "nothing to delete"',
    'git status',
    'git push origin main',
    'git push -u origin main',
    'git log --grep revoke',
    'terraform plan -destroy',
    'aws ec2 describe-instances',
    'docker ps --filter status=restart',
    'helm list',
    'kill -0 4711',
    'cat stop_all.log kill_it.log',
    'dd if=/dev/sda count=1 | xxd',
    'redis-cli info',
    "psql -c 'select promoted from replicas'",
    'journalctl -u shutdown',
    'rm old.log',
  ])('not: %s', (line) => {
    expect(runbookOf(code('bash', line, 'true')).steps[0]?.confirm).toBeUndefined();
  });
});

test('a table stays a table, in the description and in what a person does', () => {
  const rows = '| Who | Phone |\n|-----|:-----:|\n| DBA | 1234 |';
  expect(propose(`# A\n\n${rows}\n\n1. Look\n`).text).toContain(`\n${rows}\n`);
  const bare = 'Who | Phone\n--- | ---\nDBA | 1234';
  expect(propose(`# A\n\n${bare}\n\n1. Look\n`).text).toContain(`\n${bare}\n`);
  const { text } = propose(`# A\n\n## 1. Call somebody\n\nAsk one of them.\n\n${rows}\n`);
  expect(text).toContain(`\n${rows}\n`);
  expect(text).toContain('manual: "Ask one of them."');
});

describe('what is code stays as it is', () => {
  test.each([
    ['capitals in angle brackets', 'See `ssh root@<HOST>` there.', 'See `ssh root@<HOST>` there.'],
    ['a tag in two backticks', 'See ``a ` <B> <td>`` there.', 'See ``a ` <B> <td>`` there.'],
    ['capitals outside of it', 'See <HOST> there.', 'See <HOST> there.'],
    ['HTML outside of it goes', 'See <B>that</B> <span class="x">there</span>.', 'See that there.'],
  ])('in the description: %s', (_, line, told) => {
    expect(propose(`# A\n\n${line}\n\n1. Look\n`).text).toContain(`\n${told}\n`);
  });

  test('what a person does keeps it, with variables in the places to fill in', () => {
    const { steps, env } = runbookOf(
      '# A\n\n1. Ask who has `ssh root@<HOST>` open, and look at `*.log`, see `{{ region }}_a`\n',
    );
    expect(steps[0]?.manual).toBe('Ask who has ssh root@$HOST open, and look at *.log, see ${REGION}_a');
    expect(env.map(({ name }) => name)).toEqual(['HOST', 'REGION']);
  });

  test('a command with a place to fill in that is in no script is told', () => {
    const { notes } = propose(`1. Look\n\n   Or \`ssh root@<HOST> ls\`.\n\n   \`\`\`bash\n   ls\n   \`\`\`\n`);
    expect(notes).toEqual([
      { line: 3, text: 'a command in this sentence is in no script, and has a place to fill in' },
    ]);
  });
});

test('a variable in what a person does is declared, or passed on by the step that sets it', () => {
  const { steps, env } = runbookOf(
    `1. Ask about $NODE, $HOME, \${ZONE} and $OLD\n\n${code('bash', 'OLD=1')}\n## 2. Tell them $OLD\n`,
  );
  expect(env.map(({ name }) => name)).toEqual(['NODE', 'ZONE', 'OLD']);
  const later = runbookOf(`${code('bash', 'OLD=1')}\n## 2. Tell them\n\nTell them that it was $OLD.\n`);
  expect(later.env).toEqual([]);
  expect(later.steps[0]?.outputs).toEqual(['OLD']);
  expect(steps[0]?.manual).toContain('$NODE');
});

test.each([
  ['Datenbank säubern & Übergabe (Größe prüfen!)', 'DatenbankSaeubernUebergabeGroessePruefen'],
  ['Größe', 'Groesse'],
  ['Maß und MAẞ', 'MassUndMass'],
  ['GRÖSSE ÄNDERN', 'GroesseAendern'],
  ['Æble på Ærø, Łódź, Đà Nẵng', 'AeblePaAeroLodzDaNang'],
  ['Déjà vu: œuvre', 'DejaVuOeuvre'],
  ['Rotate API key', 'RotateApiKey'],
])('the name of %j', (title, name) => {
  expect(propose(`# ${title}\n\n1. Look\n`).name).toBe(name);
});

describe('what stands behind the procedure', () => {
  const page = (above: string, heading: string): string =>
    `# A\n\n## ${above}\n\n${code('bash', 'systemctl restart a').replace('## Do it', '1. Do it')}\n## ${heading}\n\n\`\`\`bash\nsystemctl restart b\n\`\`\`\n`;

  test.each([
    'Rollback',
    'Rollback plan',
    'Roll-back',
    'Undo',
    'Backing out',
    'Zurückrollen',
    'Zurücksetzen',
    'Rückgängig machen',
    'Rückbau',
    'Zuru\u0308ckrollen',
  ])('%s is how the step is taken back', (heading) => {
    const { steps } = runbookOf(page('Do', heading));
    expect(steps.map(({ name, rollback }) => [name, rollback?.body])).toEqual([['Do it', 'systemctl restart b']]);
  });

  test.each([
    ['Do', 'Troubleshooting'],
    ['Do', 'If something goes wrong'],
    ['Do', 'Known issues'],
    ['Do', 'Fehlerbehebung'],
    ['Do', 'Wenn etwas schiefgeht'],
    ['Do', 'Anhang'],
    ['Procedure', 'Speed bumps'],
    ['Vorgehen', 'Sonstiges'],
  ])('behind %s: %s is text, and that is told', (above, heading) => {
    const { text, notes } = propose(page(above, heading));
    expect(runbookOf(page(above, heading)).steps.map(({ name }) => name)).toEqual(['Do it']);
    expect(text).toContain(`## ${heading}\n\n\`\`\`text\nsystemctl restart b`);
    expect(notes.map((note) => note.text).join()).toContain('these commands are kept as text, not as a step');
  });

  test.each([
    ['Procedure', 'Verification'],
    ['Procedure', 'Clean up'],
    ['Vorgehen', 'Prüfung'],
    ['Prepare', 'Switch over'],
  ])('behind %s: %s is a step', (above, heading) => {
    expect(runbookOf(page(above, heading)).steps).toHaveLength(2);
  });

  test('a page that is about nothing else has it as its steps', () => {
    expect(scriptsOf('# Troubleshooting Kafka\n\n```bash\nls\n```\n')).toEqual(['ls']);
    expect(scriptsOf('# Kafka\n\n## Fehlersuche\n\n```bash\nls\n```\n')).toEqual(['ls']);
    expect(scriptsOf('# Kafka\n\n## Zurückrollen\n\n```bash\nls\n```\n')).toEqual(['ls']);
  });

  test('behind numbers, what has none is text', () => {
    const block = '\n\n```bash\nls\n```\n\n';
    const { steps } = runbookOf(
      `# A\n\n## Prepare${block}## Step 1: One${block}## Step 2: Two${block}## Other${block}`,
    );
    expect(steps.map(({ name }) => name)).toEqual(['Prepare', 'One', 'Two']);
    const german = runbookOf(
      `# A\n\n## Voraussetzungen\n\nVPN\n\n## Schritt 1: Eins${block}## Schritt 2: Zwei${block}`,
    );
    expect(german.steps.map(({ name }) => name)).toEqual(['Eins', 'Zwei']);
  });
});

const FRAGMENTS = [
  '# Title',
  '# Script',
  '# Steps',
  '# History',
  '## Required Claims',
  '# Limits',
  '## Done when',
  '### Rollback',
  '## Step 1: Drain <node>',
  '## Rollback',
  '**Bold heading**',
  'Under\n=====',
  'Under\n-----',
  '1. Run `kubectl drain <node>`',
  '2. Ask X',
  '   - a nested one',
  '- [ ] Look',
  '* a point',
  '> quoted',
  '> ```bash\n> echo a\n> ```',
  '   ```bash\n   echo $HOST\n   ```',
  '```bash\n$ rm -rf <dir>\nremoved\n```',
  '```\n# required claims\n```',
  '```bash\n# Required Claims\necho a\n```',
  '```bash\n#!/usr/bin/perl\nls\n```',
  '```bash\n\n```',
  '````md\n```bash\nls\n```\n````',
  '```bash\nls',
  '~~~sh\nls ``` `` ~~~ \n~~~',
  '    indented code',
  '\tkubectl get pods',
  '<details><summary>x</summary>',
  '</div> <br/> <script>',
  'a < b and `<div>` and \\<b\\>',
  '<!-- runbook: allow x -->',
  '<!-- open',
  '---',
  '+++',
  '---\ntitle: "x: y"\n---',
  '| a | b |\n|---|---|\n| c | `d` |',
  '[a]: http://x',
  '&nbsp;&#35; Required&nbsp;Claims',
  'roles: sre',
  'password=hunter22',
  '```bash\nexport RUNBOOK_X=1; LD_PRELOAD=x ls $LD_PRELOAD $RUNBOOK_OUTPUT $PATH\n```',
  '```bash\necho <env> <path> {{home}} YOUR_ENV BASH_ENV_HERE <runbook id>\n```',
  '```bash\nA=1\n```',
  '```bash\necho $A "${B?}" \'<x y>\' "<x y>"\n```',
  '```bash\ncat <<EOF\n<x y>\nEOF\n```',
  '# '.repeat(70),
  '> '.repeat(70),
  '- '.repeat(70),
  `## ${'long '.repeat(40)}`,
  '##',
  '## ###',
  '## “Ünïcode” 日本語 🙂',
  ...NEAR_CLAIMS.slice(0, 40),
];

const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...FRAGMENTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\u0000', '\u200b', '\u202e', '\r', '\u{feff}', '\ud800', '\u2028', '\ufe0f'),
  },
);
const pages = fc
  .array(fc.tuple(piece, fc.constantFrom('\n\n', '\n', '\n\n\n', ' ', '\r\n')), { maxLength: 25 })
  .map((parts) => parts.map(([text, end]) => text + end).join(''));

test('of any page: valid without warnings, its notes are sentences, and most of it is taken over', () => {
  let followed = 0;
  let given = 0;
  fc.assert(
    fc.property(pages, (page) => {
      const { name, text, notes } = propose(page);
      const { runbook, problems } = parseRunbook(Buffer.from(text), { fileName: `${name}.md`, today: '2026-11-22' });
      expect(problems).toEqual([]);
      expect(runbook?.steps.length).toBeGreaterThan(0);
      for (const { line, text: note } of notes) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(note).toMatch(/\S/);
      }
      if (notes.some(({ text: t }) => t.startsWith('nothing of the page'))) given += 1;
      if (runbook?.steps.some((step) => step.name === 'Follow the page') === true) followed += 1;
    }),
    tries(600, 50_000),
  );
  process.stdout.write(
    `proposals: ${times(600, 50_000)}, of pages of which ${followed} have no step, ${given} given up\n`,
  );
  expect(given).toBeLessThan(times(600, 50_000) / 100);
});

test('a page as large as may be is read in a moment', { timeout: 60_000 }, () => {
  for (const text of [
    '1. Run `ls -l <a b>`\n',
    '```bash\n$ ls <a b>\n```\n',
    '# ',
    '<div>',
    '> - ',
    '`',
    '## Drain\nx\n',
  ]) {
    const { text: proposal } = propose(text.repeat(Math.floor((512 * 1024) / text.length)));
    expect(parseRunbook(Buffer.from(proposal)).problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  }
});
