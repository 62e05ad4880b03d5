import { describe, expect, test } from 'vitest';
import { ResourceUris } from './resource-uris.ts';

const owner = (id: string, uris: string[], templates: string[] = []) => ({
  id,
  resources: uris.map((uri) => ({ uri })),
  resourceTemplates: templates.map((uriTemplate) => ({ uriTemplate })),
});

describe('one server', () => {
  test('has every URI, as it is', () => {
    const only = owner('one', ['a:1']);
    const uris = new ResourceUris([only]);
    for (const uri of ['a:1', 'never://listed', '']) {
      expect(uris.resolve(uri)).toEqual({ owner: only, uri });
      expect(uris.shown(only, uri)).toBe(uri);
    }
  });
});

describe('several servers', () => {
  const files = owner('files', ['file:///same', 'file:///only'], ['file:///{path}']);
  const notes = owner('My_Notes', ['file:///same', 'note://1'], ['note://{id}']);
  const uris = new ResourceUris([files, notes]);

  test.each([
    ['file:///only', files],
    ['note://1', notes],
    ['note://77', notes],
    ['file:///deep/er', files],
  ])('%s leads to the one that lists it or has a template for it', (uri, expected) => {
    expect(uris.resolve(uri)).toEqual({ owner: expected, uri });
    expect(uris.shown(expected, uri)).toBe(uri);
  });

  test('what two list is shown with the server in front, and found again', () => {
    expect(uris.resolve('file:///same')).toBeUndefined();
    for (const server of [files, notes]) {
      const shown = uris.shown(server, 'file:///same');
      expect(uris.resolve(shown)).toEqual({ owner: server, uri: 'file:///same' });
    }
    expect(uris.shown(notes, 'file:///same')).toBe('luna.my-notes+file:///same');
    expect(uris.candidates('file:///same')).toEqual(['luna.files+file:///same', 'luna.my-notes+file:///same']);
  });

  test('a URI that would lead to another server is marked, so that it leads back', () => {
    const shown = uris.shown(notes, 'file:///not/listed');
    expect(shown).toBe('luna.my-notes+file:///not/listed');
    expect(uris.resolve(shown)).toEqual({ owner: notes, uri: 'file:///not/listed' });
  });

  test('what nobody knows belongs to nobody', () => {
    expect(uris.resolve('other://x')).toBeUndefined();
    expect(uris.resolve('luna.nobody+note://1')).toBeUndefined();
  });
});

test('servers whose ids look alike in a URI are told apart', () => {
  const [a, b] = [owner('a_b', ['x:1']), owner('a-b', ['x:1'])];
  const uris = new ResourceUris([a, b]);
  const shown = [a, b].map((one) => uris.shown(one, 'x:1'));
  expect(new Set(shown).size).toBe(2);
  expect(shown.map((uri) => uris.resolve(uri)?.owner.id)).toEqual(['a_b', 'a-b']);
});

test('templates that would take the same URIs are marked, and what is made of them leads back', () => {
  const [a, b, c] = [owner('a', [], ['t://{x}']), owner('b', [], ['t://{y}/z']), owner('c', [], ['u://{x}'])];
  const uris = new ResourceUris([a, b, c]);
  const shown = uris.shownTemplate(a, 't://{x}');
  expect(shown).toBe('luna.a+t://{x}');
  expect(uris.resolve(shown.replace('{x}', '5'))).toEqual({ owner: a, uri: 't://5' });
  expect(uris.shownTemplate(c, 'u://{x}')).toBe('u://{x}');
});

test('a hostile template is answered at once', () => {
  const hostile = owner('hostile', [], [`x://${'{a}a'.repeat(5_000)}!`]);
  const uris = new ResourceUris([hostile, owner('other', [])]);
  // With a pattern that goes back and forth this would not end.
  expect(uris.resolve(`x://${'a'.repeat(50_000)}`)?.owner.id).toBeUndefined();
  expect(uris.resolve(`x://${'ba'.repeat(5_000)}!`)?.owner.id).toBe('hostile');
});
