/** Addresses of servers that tokens are sent to: https, or http where nothing leaves this machine. */

/** Without a slash at the end; undefined where it is no such address. A path stays: the server may lie behind one. */
export function parseServerAddress(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !isSafeAddress(url)) return undefined;
  if (url.search !== '' || url.hash !== '' || text.includes('?') || text.includes('#')) return undefined;
  let path = url.pathname;
  while (path.endsWith('/')) path = path.slice(0, -1);
  return `${url.origin}${path}`;
}

/** No password in it, and nobody between here and there who reads along. */
export function isSafeAddress({ protocol, username, password, hostname }: URL): boolean {
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Scheme, host and port: what a token of that server may be sent to. */
export function originOf(server: string): string {
  return new URL(server).origin;
}
