import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A server that does what GitHub does when people sign in with it. */
export interface GitHubServer {
  readonly url: string;
  /** Who agrees next, and to which organizations they belong. */
  user: { id: number; login: string; orgs: readonly string[] };
  /** What the authorization page was asked. */
  readonly asked: URLSearchParams[];
}

export async function startGitHub(secret: string): Promise<GitHubServer> {
  const asked: URLSearchParams[] = [];
  const codes = new Map<string, { challenge: string | null; token: string }>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://github');
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (url.pathname === '/login/oauth/authorize') {
      asked.push(url.searchParams);
      const code = `code-${asked.length}`;
      codes.set(code, { challenge: url.searchParams.get('code_challenge'), token: `gho_${code}` });
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state') ?? '');
      return response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === '/login/oauth/access_token') {
      const form = new URLSearchParams(await textOf(request));
      const known = codes.get(form.get('code') ?? '');
      codes.delete(form.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const isRight = form.get('client_secret') === secret && known?.challenge === challenge;
      return isRight
        ? json(200, { access_token: known?.token, token_type: 'bearer', scope: 'read:user' })
        : json(200, { error: 'bad_verification_code' });
    }
    if (!/^Bearer gho_code-/.test(request.headers.authorization ?? ''))
      return json(401, { message: 'Bad credentials' });
    const { id, login, orgs } = result.user;
    if (url.pathname === '/api/v3/user') return json(200, { id, login });
    if (url.pathname === '/api/v3/user/orgs')
      return json(
        200,
        orgs.map((org) => ({ login: org })),
      );
    json(404, { message: 'Not Found' });
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const result: GitHubServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    user: { id: 1, login: 'ada', orgs: [] },
    asked,
  };
  return result;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}
