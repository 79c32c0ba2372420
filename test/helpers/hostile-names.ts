/** Names that want to lead out of a folder, as they stand in the address of a request; made by rule, so that the same come each time. */
const TARGETS = ['outside.md', 'etc/passwd', 'proc/self/environ', '.hidden.md', 'inner/Sub.md', 'Real.md'];
const DOTS = [
  '..',
  '%2e%2e',
  '.%2e',
  '%252e%252e',
  '..;',
  '....',
  '%c0%ae%c0%ae',
  '%uff0e%uff0e',
  '\u2024\u2024',
  '．．',
];
const SLASHES = ['/', '%2f', '%2F', '%5c', '\\', '%252f', '//', '%c0%af', '%ef%bc%8f', '\u2215'];
const ODD = [
  '.',
  '..',
  '...',
  '%2e',
  '%20',
  '%00',
  '%0a',
  '%0d%0a',
  '~',
  '~root',
  '-',
  '*',
  '?',
  '%3f',
  'CON',
  'NUL.md',
  'a:b.md',
  'Real.md:x',
  'Real.md%20',
  '%20Real.md',
  'Real.md.',
  'Real.md%00.md',
  'Real.md%00',
  'Real.md%0a',
  'real.md',
  'REAL.MD',
  'Real.MD',
  'Real',
  'Real.md~',
  'R%65%61l.md%2f',
  'Real.md/',
  'Re\u0301al.md',
  'R\u00e9al.md',
  'R\u0435al.md',
  'Real\u202e.md',
  'Real\u200b.md',
  'Real.md%e2%80%8b',
  '%ff.md',
  '%',
  '%z',
  '%zz',
  '%u0041',
  'file:%2f%2f%2fetc%2fpasswd',
  'http:%2f%2fexample.org%2fa.md',
  'a'.repeat(255),
  'a'.repeat(300),
  `${'a'.repeat(1000)}.md`,
  `${'%61'.repeat(900)}.md`,
  '.git',
  '.git%2fconfig',
  '..data',
  '..data%2fReal.md',
  'link-out.md',
  'inner',
  'inner%2f',
  'pipe.md',
  'not-text.md',
  '__proto__',
  'constructor',
  'toString',
  '%7b%7b7*7%7d%7d',
  '$(id)',
  '`id`',
  '%24%7bjndi:ldap:x%7d',
  "'%20or%20'1'='1",
];

/** Behind a name: what a check of its end may take for the end. */
const ENDS = ['', '%00.md', '.md', '%20', ';.md', '%23.md', '%3fx=.md'];

export function hostileNames(): readonly string[] {
  const names = new Set<string>(ODD);
  for (const target of TARGETS) {
    for (const [index, slash] of SLASHES.entries()) {
      names.add(`${slash}${target.replaceAll('/', slash)}`);
      for (const dots of DOTS) {
        names.add(`${dots}${slash}${target.replaceAll('/', slash)}`);
        names.add(`inner${slash}${dots}${slash}${dots}${slash}${target.replaceAll('/', slash)}`);
        const other = SLASHES[(index + 1) % SLASHES.length] ?? slash;
        for (const end of ENDS) names.add(`${dots}${slash}${dots}${other}${target.replaceAll('/', other)}${end}`);
      }
    }
  }
  return [...names];
}
