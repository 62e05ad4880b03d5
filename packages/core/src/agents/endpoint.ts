import type { ModelConfig } from '../config/index.ts';
import { resolveReferences } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';

/** What is configured of models. */
export interface ModelSettings {
  /** The model of agents that name none; empty where there is none. */
  readonly defaultModel: string;
  readonly models: Readonly<Record<string, ModelConfig>>;
  /** Where `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `LUNA_DEFAULT_LLM` and references of {@link models} are looked up. */
  readonly values: Readonly<Record<string, string>>;
  /** The most requests to one endpoint at a time. */
  readonly concurrency: number;
  readonly retries: number;
  /** The longest silence, in milliseconds. */
  readonly timeoutMs: number;
}

/** Where a model is reached. */
export interface ModelEndpoint {
  /** The name in Luna. */
  readonly name: string;
  /** The name at the endpoint. */
  readonly model: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
}

const openAiUrl = 'https://api.openai.com/v1';

/** The names of models that are configured, the default first. */
export function modelNames(settings: ModelSettings): string[] {
  const standard = defaultModelOf(settings);
  return [...new Set([...(standard === '' ? [] : [standard]), ...Object.keys(settings.models)])];
}

/** Whether a model of this name is configured. */
export function isModel(settings: ModelSettings, name: string): boolean {
  return Object.hasOwn(settings.models, name) || (name !== '' && name === defaultModelOf(settings));
}

/**
 * Where a model is reached; without a name the default one. Throws `model_unavailable` when something is not set, and
 * says what.
 */
export function endpointOf(settings: ModelSettings, wanted?: string): ModelEndpoint {
  const name = wanted ?? defaultModelOf(settings);
  if (name === '') {
    const needsEndpoint = !settings.values.OPENAI_BASE_URL && !settings.values.OPENAI_API_KEY;
    throw new LunaError(
      'model_unavailable',
      `No model is configured. Set luna.default_llm in master_config.json (or LUNA_DEFAULT_LLM) to the name of a model${
        needsEndpoint ? ', and OPENAI_API_KEY, or OPENAI_BASE_URL for another endpoint than OpenAI, in .env' : ''
      }.`,
    );
  }
  const own = Object.hasOwn(settings.models, name) ? settings.models[name] : undefined;
  const resolve = (text: string) => resolveReferences(text, settings.values, `The model "${name}"`);
  if (own?.base_url !== undefined) {
    const apiKey = own.api_key === undefined ? undefined : resolve(own.api_key);
    return { name, model: own.model ?? name, baseUrl: legalUrl(resolve(own.base_url), name), apiKey };
  }
  const { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: standardKey } = settings.values;
  const apiKey = own?.api_key === undefined ? standardKey : resolve(own.api_key);
  if (!baseUrl && !apiKey)
    throw new LunaError(
      'model_unavailable',
      `The model "${name}" cannot be reached: set OPENAI_API_KEY in .env, or OPENAI_BASE_URL for another endpoint than OpenAI.`,
    );
  return {
    name,
    model: own?.model ?? name,
    baseUrl: legalUrl(baseUrl || openAiUrl, name),
    apiKey: apiKey || undefined,
  };
}

/** The name of the model of agents that name none; empty where there is none. */
export function defaultModelOf({ defaultModel, values }: ModelSettings): string {
  return values.LUNA_DEFAULT_LLM || defaultModel;
}

function legalUrl(text: string, name: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new LunaError(
      'model_unavailable',
      `The address of the model "${name}" is not legal: "${text}". Use one such as http://127.0.0.1:11434/v1 in OPENAI_BASE_URL or luna.models.`,
    );
  return text.replace(/\/+$/, '');
}
