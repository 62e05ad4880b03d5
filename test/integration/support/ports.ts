import { once } from 'node:events';
import { createServer } from 'node:net';

/** Where no system takes ports from for connections, and no program that Luna runs gets its own. */
const range = { from: 10_000, to: 30_000 };

/** A port that is free now, and that nobody is given by chance until it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await new Promise((settle) => server.close(settle));
    return port;
  }
}
