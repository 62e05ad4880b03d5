import type { PresetView } from '@luna/core/control';
import { expect, test } from 'vitest';
import { presetForm, presetSettings, toolChanges } from './preset-form.ts';

const preset: PresetView = {
  name: 'librarian',
  baseAgent: 'simple_agent',
  enabled: true,
  model: 'small',
  temperature: 0,
  showProgress: false,
  limits: { max_steps: 5, of_later: 'kept' },
  toolConfig: {},
  toolCount: 0,
  missingTools: [],
};

test('a new preset says only what was filled in', () => {
  const form = {
    ...presetForm(),
    name: ' adder ',
    temperature: '0.5',
    limits: { ...presetForm().limits, max_steps: '3' },
  };
  expect(JSON.parse(JSON.stringify(presetSettings(form)))).toEqual({
    name: 'adder',
    base_agent: 'simple_agent',
    temperature: 0.5,
    show_progress: true,
    limits: { max_steps: 3 },
  });
});

test('a preset that is opened and saved stays as it is', () => {
  expect(presetSettings(presetForm(preset), preset)).toEqual({
    name: 'librarian',
    base_agent: 'simple_agent',
    description: null,
    model: 'small',
    instructions: null,
    temperature: 0,
    show_progress: false,
    limits: { max_steps: 5, of_later: 'kept' },
  });
});

test('emptied fields take their settings away, but not limits that the form does not know', () => {
  const form = presetForm(preset);
  const emptied = { ...form, model: ' ', temperature: '', limits: { ...form.limits, max_steps: '' } };
  expect(presetSettings(emptied, preset)).toMatchObject({
    model: null,
    temperature: null,
    limits: { of_later: 'kept' },
  });
  expect(presetSettings(emptied, { ...preset, limits: { max_steps: 5 } })).toMatchObject({ limits: null });
});

test('only tools that were switched are sent, by their full names, and names that are taken out', () => {
  const tools = ['a', 'b', 'c'].map((name) => ({ name, qualifiedName: `s__${name}` }));
  const changes = toolChanges(tools, { before: new Set(['a', 'b']), after: new Set(['b', 'c']) }, ['gone']);
  expect(changes).toEqual({ s__a: { enabled: false }, s__c: { enabled: true }, gone: null });
});
