import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalSecrets } from '../../../src/adapters/secrets/local.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'runbook-secrets-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('generated secrets', () => {
  it('have their length, plain characters, and never repeat', () => {
    const secrets = createLocalSecrets(folder);
    const made = Array.from({ length: 1000 }, () => secrets.generate(20));
    for (const secret of made) expect(secret).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(new Set(made).size).toBe(1000);
  });
});

describe('fingerprints', () => {
  it('are the same for the same value of one installation, and differ between installations', () => {
    const here = createLocalSecrets(path.join(folder, 'a'));
    expect(here.fingerprint('x')).toBe(createLocalSecrets(path.join(folder, 'a')).fingerprint('x'));
    expect(here.fingerprint('x')).not.toBe(here.fingerprint('y'));
    expect(here.fingerprint('x')).not.toBe(createLocalSecrets(path.join(folder, 'b')).fingerprint('x'));
    expect(statSync(path.join(folder, 'a/fingerprint.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(path.join(folder, 'a/fingerprint.key'))).toHaveLength(32);
  });

  it('with a damaged key are refused', () => {
    writeFileSync(path.join(folder, 'fingerprint.key'), 'short');
    expect(() => createLocalSecrets(folder).fingerprint('x')).toThrow('is damaged');
  });
});
