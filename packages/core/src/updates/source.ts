import { LunaError } from '../errors/index.ts';

/** Protocols over which git may fetch. `file` reads repositories of this machine. */
export const gitProtocols = ['https', 'ssh', 'http', 'git', 'file'] as const;
export type GitProtocol = (typeof gitProtocols)[number];

/** Where an extension comes from, understood. */
export type UpdateSource =
  | {
      readonly kind: 'git';
      readonly url: string;
      readonly protocol: GitProtocol;
      /** The host of the URL, without brackets; empty for `file`. */
      readonly host: string;
      readonly port?: string;
      /** A branch or a tag. Left out: what the repository names first. */
      readonly ref?: string;
      /** The folder of the extension in the repository. */
      readonly path?: string;
    }
  | { readonly kind: 'npm'; readonly name: string; readonly version?: string }
  | { readonly kind: 'upload'; readonly file: string };

const forms =
  'Use github:user/repo, github:user/repo:path/in/repo, a git URL (https://…, ssh://…), npm:package, or an uploaded zip.';
const ownerPattern = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;
const repositoryPattern = /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}$/;
const refPattern = /^[A-Za-z0-9][\w./+@-]{0,199}$/;
const npmPattern = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/;
const versionPattern = /^[A-Za-z0-9][A-Za-z0-9.+-]{0,99}$/;
const uploadPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.zip$/;

/**
 * Reads what a person wrote as a source. Throws `invalid_input` for what is none, or could be taken for an option or
 * a command by the program that fetches it.
 */
export function parseSource(text: string): UpdateSource {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (text.length > 2_000 || /[\u0000-\u0020\u007f]/.test(text)) throw notASource(text, 'it has blanks or is too long');
  if (text.startsWith('github:')) return gitHubSource(text);
  if (text.startsWith('npm:')) return npmSource(text);
  if (text.startsWith('upload:')) {
    const file = text.slice('upload:'.length);
    if (!uploadPattern.test(file) || file.includes('..')) throw notASource(text, 'it names no uploaded file');
    return { kind: 'upload', file };
  }
  return gitSource(text);
}

function gitHubSource(text: string): UpdateSource {
  const [, owner = '', repository = '', path, ref] =
    /^github:([^/:#]+)\/([^/:#]+)(?::([^#]+))?(?:#(.+))?$/.exec(text) ?? [];
  if (!ownerPattern.test(owner) || !repositoryPattern.test(repository) || /^\.+$/.test(repository))
    throw notASource(text, 'it names no repository of GitHub');
  return {
    kind: 'git',
    url: `https://github.com/${owner}/${repository.replace(/\.git$/, '')}.git`,
    protocol: 'https',
    host: 'github.com',
    ...rest(text, path, ref),
  };
}

function gitSource(text: string): UpdateSource {
  // git@host:path, as hosts write it.
  const short = /^([A-Za-z0-9_.-]+)@([A-Za-z0-9.-]+):([^#]+?)(?:#(.+))?$/.exec(text);
  if (short && !text.includes('://')) {
    const [, user = '', host = '', path = '', ref] = short;
    return gitSource(`ssh://${user}@${host}/${path.replace(/^\//, '')}${ref === undefined ? '' : `#${ref}`}`);
  }
  const [whole = '', ref] = splitOnce(text, '#');
  if (!URL.canParse(whole)) throw notASource(text, forms);
  // Reading it as a URL would take these away, and lead elsewhere than it looks.
  if (/[/:]\.{1,2}(?:\/|$)|%2e|%2f|%5c|%00|\\/i.test(whole)) throw notASource(text, 'its path is not plain');
  const url = new URL(whole);
  const protocol = gitProtocols.find((known) => `${known}:` === url.protocol);
  if (!protocol) throw notASource(text, forms);
  if (url.password !== '' || (protocol !== 'ssh' && url.username !== ''))
    throw notASource(text, 'it holds a password or a token, which would be kept. Leave it out');
  if (url.search !== '') throw notASource(text, 'it has a query');
  if ((protocol === 'file') !== (url.hostname === '')) throw notASource(text, 'it names no host');
  if ([url.hostname, url.username].some((part) => decodeURIComponent(part).startsWith('-')))
    throw notASource(text, 'it could be taken for an option');
  // Behind the end of the repository's own path: …/repo.git:path/in/repo
  const [, repository = '', path] = /^(.+?\.git)(?::(.+))?$/.exec(url.pathname) ?? [undefined, url.pathname];
  if (repository.length < 2) throw notASource(text, 'it names no repository');
  url.pathname = repository;
  return {
    kind: 'git',
    url: url.href,
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port !== '' && { port: url.port }),
    ...rest(text, path, ref),
  };
}

function npmSource(text: string): UpdateSource {
  const [, name = '', version] = /^npm:(@?[^@]+)(?:@(.+))?$/.exec(text) ?? [];
  if (!npmPattern.test(name) || name.length > 214) throw notASource(text, 'it names no package');
  if (version !== undefined && !versionPattern.test(version))
    throw notASource(text, 'give one version, such as 1.2.3, or a tag such as latest');
  return { kind: 'npm', name, ...(version !== undefined && { version }) };
}

/** The path and the branch of a git source, each judged. */
function rest(text: string, path: string | undefined, ref: string | undefined): { path?: string; ref?: string } {
  if (path !== undefined) {
    const parts = path.replace(/\/$/, '').split('/');
    const isPlain = parts.every((part) => /^[\w.+@ -]+$/.test(part) && part !== '.' && part !== '..');
    if (!isPlain || path.startsWith('-') || path.startsWith(':')) throw notASource(text, 'its path is not plain');
  }
  if (ref !== undefined && (!refPattern.test(ref) || ref.includes('..') || ref.includes('@{')))
    throw notASource(text, 'it names no branch or tag');
  return { ...(path !== undefined && { path: path.replace(/\/$/, '') }), ...(ref !== undefined && { ref }) };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function notASource(text: string, why: string): LunaError {
  return new LunaError('invalid_input', `${JSON.stringify(text.slice(0, 200))} is no source of an extension: ${why}`);
}

/** A name for an extension by where it comes from, where it does not say one itself. */
export function suggestedName(source: UpdateSource): string {
  const last =
    source.kind === 'npm'
      ? source.name.split('/').at(-1)
      : source.kind === 'upload'
        ? source.file.replace(/(?:-[0-9a-f]{8})?\.zip$/, '')
        : (source.path ?? new URL(source.url).pathname.replace(/\.git$/, '')).split('/').at(-1);
  return (last ?? '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
}
