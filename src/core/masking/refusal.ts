/** Which secrets are not masked, because output would be destroyed for everybody who reads it. */

const SHORTEST = 4;

/** Compared in lower case. Defaults of products, and words and numbers that any output may have. */
const COMMON: ReadonlySet<string> = new Set(
  `true false none null undefined enabled disabled default unknown error warning info debug success failed failure
  admin administrator root user guest nobody anonymous test testing tests tester demo example sample dummy temp
  password passwd pass passphrase secret secrets token tokens changeme change-me changeit change_me letmein welcome
  qwerty qwertz asdf abcd abcde abcdef abc123 1234 12345 123456 1234567 12345678 123456789 1234567890 0123456789 0123 4321 654321
  password1 password123 p@ssw0rd passw0rd admin123 test123 redacted masked hidden
  localhost localhost.localdomain 127.0.0.1 0.0.0.0 example.com host hostname server client service
  production prod staging stage development develop local main master latest stable live release
  postgres postgresql mysql mariadb mongo mongodb redis rabbitmq kafka elastic elasticsearch nginx docker kubernetes
  name file path home data json yaml text http https bash node python java linux ubuntu debian alpine
  string number boolean object value array function return runbook
  8080 8443 8000 8888 3000 3306 5000 5432 5672 6379 9000 9090 9200 27017 65535 65536 1000 1024 2048 4096 8192 10000`
    .split(/\s+/)
    .filter((word) => word !== ''),
);
const YEAR = /^(?:19|20)\d\d$/;
const ONE_CHARACTER = /^(.)\1*$/su;

/** @returns why the text is refused, null where it can be masked */
export function refusalOf(text: string): 'too-short' | 'too-common' | null {
  // Characters, not bytes: three letters of any script are guessed by accident.
  if (Array.from(text.slice(0, 2 * SHORTEST)).length < SHORTEST) return 'too-short';
  const trimmed = text.trim();
  if (trimmed === '' || ONE_CHARACTER.test(text) || YEAR.test(trimmed)) return 'too-common';
  return COMMON.has(trimmed.toLowerCase()) ? 'too-common' : null;
}
