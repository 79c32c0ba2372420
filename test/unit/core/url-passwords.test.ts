import { describe, expect, it } from 'vitest';
import { passwordsOf, withoutPasswords } from '../../../src/core/url-passwords.ts';

describe('passwordsOf', () => {
  it.each([
    ['postgres://app:Kq82mZpw@db/shop', ['Kq82mZpw']],
    ['redis://:Kq82mZpw@db', ['Kq82mZpw']],
    ['amqp://app:Kq82mZpw@', ['Kq82mZpw']],
    // Escaped: as it stands there, and as it is meant.
    ['https://app:p%40ss%21@db/', ['p%40ss%21', 'p@ss!']],
    ['https://app:50%off@db/', ['50%off']],
    ['https://app:50%off%40@db/', ['50%off%40', '50%off@']],
    ['https://app:%ff%40@db/', ['%ff%40']],
    // What no address should hold, and drivers take.
    ['postgres://app:p@ss:w@db/shop', ['p@ss:w']],
    ['postgres://app:pa/ss?w#d@db/shop', ['pa/ss?w#d']],
    ['postgres://app:1234@db', ['1234']],
    // Several hosts, several addresses.
    ['mongodb://app:Kq82mZpw@a:27017,b:27017/shop?ssl=true', ['Kq82mZpw']],
    ['http://a:one11@x,http://b:two22@y http://c@z', ['one11', 'two22']],
    ['jdbc:postgresql://app:Kq82mZpw@db/shop', ['Kq82mZpw']],
  ])('%s', (value, passwords) => {
    expect(passwordsOf(value)).toEqual(passwords);
  });

  it.each([
    '',
    'plain text: with a colon@sign',
    'https://db/shop',
    'https://app@db/shop',
    'https://app:@db/shop',
    'https://db:5432/shop',
    'https://db:8080/users/anna@example.com',
    'https://db:8080?mail=anna@example.com',
    'https://db/search?q=a:b@c',
    'ssh://git@example.com:2222/a.git',
  ])('none in %j', (value) => {
    expect(passwordsOf(value)).toEqual([]);
  });
});

describe('withoutPasswords', () => {
  it.each([
    ['see https://anna:abc@ci.example/1, then', 'see https://anna:***@ci.example/1, then'],
    ['http://a:one11@x,http://b:two22@y http://c@z', 'http://a:***@x,http://b:***@y http://c@z'],
    ['https://app:***@db', 'https://app:***@db'],
    ['plain text: with a colon@sign', 'plain text: with a colon@sign'],
    ['', ''],
  ])('%s', (text, shown) => {
    expect(withoutPasswords(text)).toBe(shown);
  });
});
