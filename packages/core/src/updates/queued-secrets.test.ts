import { expect, test } from 'vitest';
import { withoutSecrets, withSecretsOf } from './queued-secrets.ts';

const given = {
  type: 'install_external_service' as const,
  name: 'shelf',
  config: { port: 1, token: 'very-secret', pin: 'as-secret' },
  secrets: ['token', 'pin'],
};

test('of the secrets only the names are shown, and saved as they were shown they are the same again', () => {
  const shown = withoutSecrets(given);
  expect(shown).toEqual({ ...given, config: { port: 1 } });
  expect(withSecretsOf({ ...shown, type: given.type }, [given])).toEqual(given);
});

test('what is given anew comes before what waits, and another service has nothing of it', () => {
  const { config } = withSecretsOf({ ...given, config: { port: 2, token: 'newer-secret' } }, [given]);
  expect(config).toEqual({ port: 2, token: 'newer-secret', pin: 'as-secret' });
  expect(withSecretsOf({ ...given, name: 'other', config: {} }, [given]).config).toEqual({});
  expect(withSecretsOf({ ...given, config: {} }, undefined).config).toEqual({});
});

test('other operations, and settings that are no object, are left as they are', () => {
  const other = { type: 'delete' as const, name: 'notes' };
  expect(withoutSecrets(other)).toBe(other);
  expect(withoutSecrets({ ...given, config: 'odd' })).toEqual({ ...given, config: {} });
});
