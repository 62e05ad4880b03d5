import { expect, test } from 'vitest';
import { EventReader } from './ask-agent.ts';

test('events come out whole, however the text is cut, without comments', () => {
  const text = ': keep-alive\n\ndata: {"a":1}\n\ndata: two\n\n: keep-alive\n\ndata: [DONE]\n\n';
  const whole = ['{"a":1}', 'two', '[DONE]'];
  expect(new EventReader().read(text)).toEqual(whole);
  const reader = new EventReader();
  expect([...text].flatMap((character) => reader.read(character))).toEqual(whole);
});
