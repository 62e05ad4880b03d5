import { redactorOf } from '../config/index.ts';

/** How many tokens of MCP servers are covered. */
const mostTokens = 500;

/** Settings of Luna that people keep in `.env` and that are no secrets: without them errors could not say what is wrong. */
const openSettings = new Set(
  [
    'DEPLOYMENT_MODE PUBLIC_DOMAIN LUNA_PUBLIC_URL LUNA_HOST LUNA_PORT LUNA_ALLOW_EXTERNAL LUNA_ALLOWED_HOSTS',
    'LUNA_LOG_LEVEL LUNA_LOG_MAX_BYTES LUNA_LOG_FILES OPENAI_BASE_URL LUNA_DEFAULT_LLM',
    'GITHUB_ALLOWED_USERS GITHUB_ALLOWED_ORGS GITHUB_URL GITHUB_API_URL',
  ].flatMap((names) => names.split(' ')),
);

/** What is known to be secret, and covers it in what sources print and errors quote. */
export class CoveredSecrets {
  #values: readonly string[] = [];
  /** Of MCP servers, the latest last. */
  readonly #tokens = new Set<string>();
  #redact = redactorOf([]);

  /** Values of `.env`, and secrets of the configuration, instead of those before. */
  setValues(env: Readonly<Record<string, string>>, secrets: readonly string[]): void {
    const covered = Object.entries(env).filter(([name, value]) => !openSettings.has(name) || mayHoldKey(value));
    this.#values = [...covered.map(([, value]) => value), ...secrets];
    this.#changed();
  }

  addToken(token: string): void {
    if (this.#tokens.has(token)) return;
    this.#tokens.add(token);
    // Tokens come and go; those of long ago are good for nothing.
    for (const former of this.#tokens) if (this.#tokens.size > mostTokens) this.#tokens.delete(former);
    this.#changed();
  }

  redact(text: string): string {
    return this.#redact(text);
  }

  #changed(): void {
    this.#redact = redactorOf([...this.#values, ...this.#tokens]);
  }
}

/** Some put a key into an address. */
function mayHoldKey(value: string): boolean {
  return /[@?]/.test(value);
}
