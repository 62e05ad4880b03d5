import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A small proxy in front of Luna that serves it below a path of its own host, beside another site. */
export interface PathProxy {
  /** Where Luna is for people: `http://127.0.0.1:<port>/luna`. */
  readonly place: string;
  readonly origin: string;
  /** Where requests go; to be set before the first one. */
  target: string;
  /** What was asked of the other site: nothing of Luna's may be there. */
  readonly strays: string[];
}

/** How it sends on what is below the path: as it came, or without the path. */
export type PathProxyKind = 'keeps' | 'strips';

/** The metadata of OAuth lies at the root of the host, whatever the path. */
const wellKnown = /^\/\.well-known\/(?:oauth-authorization-server|openid-configuration|oauth-protected-resource)\//;

export async function startPathProxy(
  kind: PathProxyKind,
  path: string,
  options = { wellKnown: true },
): Promise<PathProxy> {
  const strays: string[] = [];
  const targetOf = ({ url = '' }: IncomingMessage): string | undefined => {
    if (options.wellKnown && wellKnown.test(url) && url.includes(path)) return url;
    if (url !== path && !url.startsWith(`${path}/`) && !url.startsWith(`${path}?`)) return undefined;
    if (kind === 'keeps') return url;
    const rest = url.slice(path.length);
    return rest.startsWith('/') ? rest : `/${rest}`;
  };
  const server = createServer((incoming, outgoing) => {
    const target = targetOf(incoming);
    if (target === undefined) {
      strays.push(incoming.url ?? '');
      outgoing.writeHead(404, { 'content-type': 'text/plain' }).end('Another site.');
      return;
    }
    const { hostname, port } = new URL(proxy.target);
    const { method, headers } = incoming;
    const onward = request({ hostname, port, method, path: target, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  const sockets = new Set<Socket>();
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const { hostname, port } = new URL(proxy.target);
    const onward = connect(Number(port), hostname);
    sockets.add(onward).add(socket);
    const lines = incoming.rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
    onward.write(`GET ${targetOf(incoming) ?? '/'} HTTP/1.1\r\n${lines}\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
    for (const end of [onward, socket]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: PathProxy = { place: origin + path, origin, target: '', strays };
  return proxy;
}
