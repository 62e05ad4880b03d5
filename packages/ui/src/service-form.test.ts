import type { ExternalServiceDetailView } from '@luna/core/services';
import { expect, test } from 'vitest';
import { initialSettings, settingFields, settingsOf } from './service-form.ts';

const detail = (form: object[], more: object = {}) =>
  ({
    config: {},
    secrets: [],
    form: form.map((field) => ({ type: 'text', secret: false, required: true, ...field })),
    ...more,
  }) as unknown as ExternalServiceDetailView;

test('fields have their defaults, or what is set, and say what becomes of an empty one', () => {
  const fields = settingFields(
    detail(
      [
        { name: 'port', type: 'port', label: 'Port', default: 7400, min: 1024 },
        { name: 'token', type: 'password', secret: true, generate: true },
        { name: 'old', type: 'password', secret: true },
        { name: 'size', type: 'select', options: ['s', { value: 'l', label: 'Large' }] },
        { name: 'open', type: 'checkbox', default: true },
        { name: 'title' },
      ],
      { config: { port: 7500 }, secrets: ['old'] },
    ),
  );
  expect(fields).toMatchObject([
    { label: 'Port', kind: 'number', required: false, initial: '7500', help: 'At least 1024.' },
    { kind: 'password', required: false, initial: '', help: 'Left empty, one is made.' },
    { kind: 'password', required: false, help: 'It is set. Left empty, it stays.' },
    { kind: 'select', choices: [{ label: 's' }, { label: 'Large', value: 'l' }], required: true },
    { kind: 'checkbox', initial: true, required: false },
    { label: 'title', kind: 'text', required: true, initial: '' },
  ]);
  const values = { ...initialSettings(fields), title: 'x', open: false };
  expect(settingsOf(fields, values)).toEqual({ port: '7500', open: false, title: 'x' });
});

test('a secret never begins with its default', () => {
  const [field] = settingFields(detail([{ name: 'a', type: 'password', secret: true, default: 'changeme1' }]));
  expect(field).toMatchObject({ initial: '', required: false, help: 'Left empty, it has its default.' });
});
