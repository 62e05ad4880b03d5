import { expect, test } from 'vitest';
import { parseSource, suggestedName } from './source.ts';

test.each([
  ['github:ada/notes', { kind: 'git', url: 'https://github.com/ada/notes.git', protocol: 'https', host: 'github.com' }],
  ['github:ada/notes:extensions/notes', { url: 'https://github.com/ada/notes.git', path: 'extensions/notes' }],
  ['github:ada/notes#v1.2', { url: 'https://github.com/ada/notes.git', ref: 'v1.2' }],
  ['https://git.example/ada/notes', { url: 'https://git.example/ada/notes', protocol: 'https' }],
  ['https://git.example:8443/notes.git:deep/er#main', { port: '8443', path: 'deep/er', ref: 'main' }],
  ['ssh://git@git.example/ada/notes.git', { protocol: 'ssh', host: 'git.example' }],
  ['git@git.example:ada/notes.git', { url: 'ssh://git@git.example/ada/notes.git', protocol: 'ssh' }],
  ['file:///srv/notes.git', { url: 'file:///srv/notes.git', protocol: 'file', host: '' }],
  ['npm:luna-notes', { kind: 'npm', name: 'luna-notes' }],
  ['npm:@ada/notes@1.2.3', { kind: 'npm', name: '@ada/notes', version: '1.2.3' }],
  ['upload:notes-0123abcd.zip', { kind: 'upload', file: 'notes-0123abcd.zip' }],
])('%s is understood', (text, expected) => {
  expect(parseSource(text)).toMatchObject(expected);
});

test.each([
  '',
  'notes',
  '/srv/notes',
  '../notes',
  '--upload-pack=touch',
  '-u',
  'ext::sh -c touch% /tmp/x',
  'ext::sh',
  'fd::17/foo',
  'http::ext::sh',
  'transport::address',
  'javascript:alert(1)',
  'data:text/plain,x',
  'ftp://git.example/x.git',
  'git+ssh://git.example/x.git',
  'ssh://-oProxyCommand=touch/x',
  'ssh://-oProxyCommand=touch@host/x',
  'ssh://%2doProxyCommand=touch@host/x',
  '-oProxyCommand=x@host:path',
  'https://user:token@git.example/x.git',
  'https://token@git.example/x.git',
  'https://git.example/x.git?a=b',
  'https://git.example',
  'https://git.example/x.git#--upload-pack=x',
  'https://git.example/x.git#a..b',
  'https://git.example/x.git#HEAD@{1}',
  'https://git.example/x.git:../../etc',
  'https://git.example/x.git:-x',
  'https://git.example/x.git\n',
  'https://git.example/x y.git',
  'file://host/share.git',
  'github:ada',
  'github:../..',
  'github:ada/..',
  'github:-x/y',
  'github:ada/notes:../x',
  'github:ada/notes:a/../../x',
  'github:ada/notes:/etc',
  'npm:',
  'npm:../x',
  'npm:UPPER',
  'npm:a b',
  'npm:a@^1.0.0',
  'npm:a@http://x',
  'npm:@a/b/c',
  'upload:../x.zip',
  'upload:x/y.zip',
  'upload:x.tar',
  'upload:.zip',
  'x'.repeat(3000),
])('%j is refused', (text) => {
  expect(() => parseSource(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
});

test.each([
  ['github:ada/luna-notes', 'luna-notes'],
  ['github:ada/many:extensions/notes', 'notes'],
  ['https://git.example/ada/notes.git', 'notes'],
  ['npm:@ada/notes', 'notes'],
  ['upload:notes-0123abcd.zip', 'notes'],
])('%s suggests the name %s', (text, name) => {
  expect(suggestedName(parseSource(text))).toBe(name);
});
