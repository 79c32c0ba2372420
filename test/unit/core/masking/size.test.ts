/** What a long secret costs, measured in a process of its own, whose garbage can be collected. */
import path from 'node:path';
import { execaSync } from 'execa';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../../helpers/cli.ts';

const KIB = 1024;
const MIB = KIB * KIB;

const script = `
import { createMasker } from ${JSON.stringify(path.join(REPOSITORY, 'src/core/masking/masker.ts'))};
import { Chance, pem } from ${JSON.stringify(path.join(REPOSITORY, 'test/unit/core/masking/oracle.ts'))};
const chance = new Chance(1);
const config = (count) => Array.from({ length: count }, (_, index) =>
  '- cluster:\\n    certificate-authority-data: ' + chance.base64(1100) + '\\n    server: "https://host-' + index +
  '.example.com:6443?a=b&c=d"\\n  name: c' + index + '\\n  user: ' + chance.base64(700) + '\\n').join('');
const items = (count) => JSON.stringify(Array.from({ length: count }, (_, id) => ({ id, "the 'key'": 'é&<' + chance.base64(20) })));
const secrets = {
  'a key of 9 KB': [pem(chance, 138)],
  'a kubeconfig of 128 KB': [config(51).trimEnd()],
  'JSON of 128 KB in one line': [items(2200)],
  '50 secrets of 24 characters': Array.from({ length: 50 }, () => chance.base64(18)),
}[process.argv[1]];
const used = () => { gc(); gc(); const { heapUsed, arrayBuffers } = process.memoryUsage(); return heapUsed + arrayBuffers; };
const before = used();
const cpu = process.cpuUsage();
const masker = createMasker();
for (const secret of secrets) masker.add(secret);
masker.text('x');
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ used: used() - before, length: secrets.join('').length, ms: Math.round((user + system) / 1000), masked: masker.text(secrets[0]) }));
`;

test.each([
  ['a key of 9 KB', 9 * KIB, 8 * MIB],
  ['a kubeconfig of 128 KB', 128 * KIB, 48 * MIB],
  ['JSON of 128 KB in one line', 128 * KIB, 96 * MIB],
  ['50 secrets of 24 characters', 1200, 16 * MIB],
])('%s takes bounded memory', (name, length, most) => {
  const args = ['--expose-gc', '--input-type=module', '-e', script, name];
  const { stdout } = execaSync(process.execPath, args, { cwd: REPOSITORY });
  const measured = JSON.parse(stdout) as { used: number; length: number; ms: number; masked: string };
  console.log(`masking: ${name}: ${(measured.used / MIB).toFixed(1)} MiB, ${measured.ms} ms of processor time`);
  expect(measured.masked).toBe('***');
  expect(measured.length).toBeGreaterThan(length * 0.95);
  expect(measured.used).toBeLessThan(most);
});
