import { expect, test } from 'vitest';
import { CoveredSecrets } from './covered-secrets.ts';

test('secrets are covered, and the settings that an error has to name are not', () => {
  const covered = new CoveredSecrets();
  const env = {
    UPSTREAM_KEY: 'correct-horse',
    OPENAI_API_KEY: 'sk-battery-staple',
    OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1',
    LUNA_DEFAULT_LLM: 'qwen3:14b-instruct',
    PUBLIC_DOMAIN: 'luna.example.com',
  };
  covered.setValues(env, ['hub-key-of-config']);
  expect(covered.redact(JSON.stringify(env))).toBe(
    JSON.stringify({ ...env, UPSTREAM_KEY: '•••', OPENAI_API_KEY: '•••' }),
  );
  expect(covered.redact('with hub-key-of-config')).toBe('with •••');
});

test('an address of a setting is covered when a key may stand in it', () => {
  const covered = new CoveredSecrets();
  for (const url of ['https://user:pass@models.example/v1', 'https://models.example/v1?key=abc']) {
    covered.setValues({ OPENAI_BASE_URL: url }, []);
    expect(covered.redact(`at ${url}`)).toBe('at •••');
  }
});
