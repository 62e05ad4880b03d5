import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a server says to bytes that no proper client would send. */

/** A connection to the server of this URL, closed after the test. */
export async function rawConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

export interface RawAnswer {
  /** The status of the first answer; 0 when there was none. */
  readonly status: number;
  /** How many answers came. */
  readonly count: number;
  readonly text: string;
}

/** Sends these bytes and reads until the server closes the connection. */
export async function untilClosed(socket: Socket, bytes: string | Buffer): Promise<RawAnswer> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write(bytes);
  // Not `once`: a reset is a way to close too.
  await new Promise<void>((settle) => socket.once('close', () => settle()));
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    count: text.split('HTTP/1.1 ').length - 1,
    text,
  };
}

/** Settles with the first answer's status line and headers. */
export async function headOf(socket: Socket, bytes: string): Promise<string> {
  let text = '';
  socket.write(bytes);
  while (!text.includes('\r\n\r\n')) text += String((await once(socket, 'data'))[0]);
  return text;
}
