import { createServer } from 'node:net';
import { LunaError, systemCodeOf } from '../errors/index.ts';

/** Ports from the first to the last one, both included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface PortRequest {
  readonly range: PortRange;
  /** Ports that others have been given, whether they use them now or not. */
  readonly taken: ReadonlySet<number>;
  /** The port that was given before. It is kept unless a stranger listens on it now. */
  readonly former?: number | undefined;
  /** Told of each port that a stranger listens on. */
  readonly onStranger?: (port: number) => void;
}

/**
 * The port for something: the one that it had, else the lowest that is free, so that the same things get the same ports
 * on every machine. Throws `limit_exceeded` when there is none left.
 */
export async function choosePort({ range, taken, former, onStranger }: PortRequest): Promise<number> {
  const isOf = (port: number) => port >= range.from && port <= range.to && !taken.has(port);
  const candidates = [
    ...(former !== undefined && isOf(former) ? [former] : []),
    ...Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index).filter(
      (port) => port !== former && isOf(port),
    ),
  ];
  for (const port of candidates) {
    if (await isFree(port)) return port;
    onStranger?.(port);
  }
  throw new LunaError('limit_exceeded', `No port between ${range.from} and ${range.to} is free. Stop what uses them.`);
}

/** Whether a program could listen on the port of this machine now. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, undefined));
}

function canListen(port: number, host: string | undefined): Promise<boolean> {
  return new Promise((settle, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = systemCodeOf(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') settle(false);
      else reject(error);
    });
    server.listen({ port, ...(host !== undefined && { host }), exclusive: true }, () =>
      server.close(() => settle(true)),
    );
  });
}
