import { describe, expect, test } from 'vitest';
import { authorize, explainMissing } from '../../../src/core/claims.ts';

describe('explainMissing', () => {
  test('names the claim, the allowed values and what the token has', () => {
    const decision = authorize({ roles: ['developer'] }, [[{ claim: 'roles', anyOf: ['sre', 'dba'] }]]);
    expect(explainMissing(decision)).toBe('needs roles = sre or dba; your token has roles = developer');
  });
});
