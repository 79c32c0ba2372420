import { describe, expect, it } from 'vitest';
import { callerKey, rateKey } from '../../../../src/server/limits/keys.ts';

describe('whom a limit counts as one', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0:0:0:9', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:5::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%s is %s', (address, key) => {
    expect(rateKey(address)).toBe(key);
  });

  it('is a person of one issuer, and the store learns no names', () => {
    const anna = callerKey({ issuer: 'a', subject: 'anna' });
    const others = [
      callerKey({ issuer: 'b', subject: 'anna' }),
      callerKey({ issuer: null, subject: 'anna' }),
      callerKey({ issuer: 'a', subject: 'Anna' }),
      callerKey({ issuer: 'a","anna', subject: '' }),
    ];
    expect(new Set([anna, ...others]).size).toBe(5);
    expect(anna).toMatch(/^[\w-]{22}$/);
  });
});
