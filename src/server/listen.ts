/** Taking an address, or one sentence why not. */
import type { AddressInfo } from 'node:net';
import { RunbookError } from '../core/errors.ts';
import { codeOf } from '../core/failures.ts';
import type { Http } from './context.ts';

/** @param port 0: any that is free  @throws RunbookError `unavailable`, `settings`; then nothing is left of the attempt */
export async function listen(
  http: Http,
  host: string,
  port: number,
): Promise<{ readonly address: string; readonly port: number }> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    await http.close();
    throw asListenError(error, host, port);
  }
  const bound = http.server.address();
  const taken = isAddress(bound) ? bound.port : port;
  return { address: `http://${shown(host)}:${taken}`, port: taken };
}

/** Who listens everywhere is reached from here under this name, too; an address of version 6 needs its brackets. */
function shown(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function isAddress(bound: AddressInfo | string | null): bound is AddressInfo {
  return typeof bound === 'object' && bound !== null;
}

function asListenError(error: unknown, host: string, port: number): unknown {
  const wrong = (code: 'unavailable' | 'settings', message: string, fix: string): RunbookError =>
    new RunbookError(code, message, { fix, cause: error });
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return wrong(
        'unavailable',
        `Port ${port} of ${host} is in use by another program.`,
        'End that one, or choose another port with --port (API_PORT).',
      );
    case 'EACCES':
    case 'EPERM':
      return wrong(
        'settings',
        `This user may not listen on port ${port}.`,
        'Choose a port above 1023 with --port (API_PORT), and let a proxy listen on this one.',
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return wrong(
        'settings',
        `${host} is no address of this machine.`,
        'Give one of its own with --host (RUNBOOK_BIND); 0.0.0.0 means all of them.',
      );
    case 'ERR_SOCKET_BAD_PORT':
      return wrong(
        'settings',
        `${port} is no port.`,
        'Give one from 1 to 65535 with --port (API_PORT); 0 takes any that is free.',
      );
    default:
      return error;
  }
}
