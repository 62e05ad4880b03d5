import { LunaError } from '@luna/core/errors';
import type { Account } from '@luna/core/store';
import type { Context } from 'koa';
import { z } from 'zod';

const names = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter(Boolean),
  );

const settingsSchema = z.object({
  GITHUB_CLIENT_ID: z.string().min(1),
  GITHUB_CLIENT_SECRET: z.string().min(1),
  GITHUB_ALLOWED_USERS: names,
  GITHUB_ALLOWED_ORGS: names,
  /** Another one for GitHub Enterprise: https://github.example.com */
  GITHUB_URL: z.url({ protocol: /^https?$/ }).default('https://github.com'),
  /** For GitHub Enterprise: https://github.example.com/api/v3 */
  GITHUB_API_URL: z.url({ protocol: /^https?$/ }).default('https://api.github.com'),
});

type Settings = z.infer<typeof settingsSchema>;

const userSchema = z.object({ id: z.number(), login: z.string().min(1) });
const orgsSchema = z.array(z.object({ login: z.string() }));
const tokensSchema = z.object({ access_token: z.string().min(1) });

/** Signing people in with their account at GitHub. */
export class GitHub {
  readonly #values: () => Promise<Readonly<Record<string, string | undefined>>>;

  /** `values`: the environment, asked at each sign-in. */
  constructor(values: () => Promise<Readonly<Record<string, string | undefined>>>) {
    this.#values = values;
  }

  /** Whether people sign in this way. */
  async isConfigured(): Promise<boolean> {
    const { GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET } = await this.#values();
    return Boolean(GITHUB_CLIENT_ID && GITHUB_CLIENT_SECRET);
  }

  /** Sends the person to GitHub. */
  async begin(ctx: Context, redirectUri: string): Promise<void> {
    await this.#run(ctx, await this.#settings(), redirectUri, '');
  }

  /** Who came back from GitHub. Throws `unauthorized` when GitHub did not say, `forbidden` for one who may not. */
  async finish(ctx: Context, redirectUri: string): Promise<Account> {
    const settings = await this.#settings();
    const answer = await this.#run(ctx, settings, redirectUri, '/callback');
    const tokens = tokensSchema.safeParse(answer);
    if (!tokens.success) throw new LunaError('unauthorized', 'GitHub did not sign you in. Try again.');
    const user = await this.#ask(settings, '/user', tokens.data.access_token, userSchema);
    if (!(await this.#may(settings, user.login, tokens.data.access_token))) {
      throw new LunaError(
        'forbidden',
        `${user.login} may not sign in to this Luna. Its owner can add the name to GITHUB_ALLOWED_USERS.`,
      );
    }
    return { id: `github:${user.id}`, name: user.login };
  }

  /** Whether an account of GitHub that signed in before still is among the people who are named, where they are. */
  async stillMay(name: string): Promise<boolean> {
    if (!(await this.isConfigured())) return false;
    const { GITHUB_ALLOWED_USERS, GITHUB_ALLOWED_ORGS } = await this.#settings();
    return GITHUB_ALLOWED_USERS.includes(name.toLowerCase()) || GITHUB_ALLOWED_ORGS.length > 0;
  }

  async #settings(): Promise<Settings> {
    const parsed = settingsSchema.safeParse(await this.#values());
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new LunaError('invalid_input', `The setting ${issue?.path.join('.')} is not legal: ${issue?.message}.`);
    }
    if (parsed.data.GITHUB_ALLOWED_USERS.length + parsed.data.GITHUB_ALLOWED_ORGS.length === 0) {
      throw new LunaError(
        'forbidden',
        'Nobody may sign in with GitHub yet. Name people in GITHUB_ALLOWED_USERS, or organizations in GITHUB_ALLOWED_ORGS.',
      );
    }
    return parsed.data;
  }

  async #may(
    { GITHUB_ALLOWED_USERS, GITHUB_ALLOWED_ORGS, ...rest }: Settings,
    login: string,
    token: string,
  ): Promise<boolean> {
    if (GITHUB_ALLOWED_USERS.includes(login.toLowerCase())) return true;
    if (GITHUB_ALLOWED_ORGS.length === 0) return false;
    const orgs = await this.#ask(rest, '/user/orgs?per_page=100', token, orgsSchema);
    return orgs.some((org) => GITHUB_ALLOWED_ORGS.includes(org.login.toLowerCase()));
  }

  async #ask<T>(
    { GITHUB_API_URL }: Pick<Settings, 'GITHUB_API_URL'>,
    path: string,
    token: string,
    schema: z.ZodType<T>,
  ): Promise<T> {
    try {
      const answer = await fetch(GITHUB_API_URL.replace(/\/+$/, '') + path, {
        headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'user-agent': 'Luna' },
        redirect: 'error',
        signal: AbortSignal.timeout(10_000),
      });
      return schema.parse(await answer.json());
    } catch (thrown) {
      throw new LunaError('upstream_error', `GitHub did not say who you are (${path.split('?')[0]}). Try again.`, {
        cause: thrown,
      });
    }
  }

  /** Lets grant do its part of OAuth: it goes by the path, so it is shown the one that it knows. */
  async #run(ctx: Context, settings: Settings, redirectUri: string, step: '' | '/callback'): Promise<unknown> {
    const { default: grant } = await import('grant');
    const base = settings.GITHUB_URL.replace(/\/+$/, '');
    const prefix = '/auth/grant';
    const middleware = grant.default.koa({
      defaults: { origin: new URL(redirectUri).origin, prefix, transport: 'state', state: true, pkce: true },
      github: {
        key: settings.GITHUB_CLIENT_ID,
        secret: settings.GITHUB_CLIENT_SECRET,
        scope: settings.GITHUB_ALLOWED_ORGS.length > 0 ? ['read:user', 'read:org'] : ['read:user'],
        authorize_url: `${base}/login/oauth/authorize`,
        access_url: `${base}/login/oauth/access_token`,
        redirect_uri: redirectUri,
        response: ['tokens'],
      },
    });
    if (step === '') ctx.querystring = '';
    ctx.originalUrl = `${prefix}/github${step}`;
    await middleware(ctx, async () => undefined);
    return ctx.state.grant?.response;
  }
}
