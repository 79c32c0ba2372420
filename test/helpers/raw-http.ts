/** Bytes to a port and what comes back, past everything that a client of HTTP would set right. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const PATIENCE_MS = 30_000;

/** @returns all that came until the other side closed; what is refused with a reset ends there, too. */
export async function rawAnswer(port: number, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket: Socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      reject(new Error(`no end after: ${Buffer.concat(chunks).toString('latin1').slice(0, 500)}`));
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
    for (const piece of pieces) socket.write(piece);
  });
}

/** Of all answers in a row; no body of ours has such a line. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status));
}
