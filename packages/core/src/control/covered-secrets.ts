import { redactorOf } from '../config/index.ts';

/** How many tokens of MCP servers are covered. */
const mostTokens = 500;

/** What is known to be secret, and covers it in what sources print and errors quote. */
export class CoveredSecrets {
  #values: readonly string[] = [];
  /** Of MCP servers, the latest last. */
  readonly #tokens = new Set<string>();
  #redact = redactorOf([]);

  /** Values of `.env`, and secrets of the configuration, instead of those before. */
  setValues(values: readonly string[]): void {
    this.#values = values;
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
