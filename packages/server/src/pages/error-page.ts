import { escapeHtml, page } from './page.ts';

/** Tells a person why a client cannot be let in. `basePath`: see `PublicAddress.basePath`. */
export function errorPage(reason: string, basePath: string): string {
  return page(
    'This did not work',
    `<p>${escapeHtml(sentence(reason))}</p>
<p>Go back to the program that sent you here and begin again there.</p>`,
    basePath,
  );
}

function sentence(text: string): string {
  const trimmed = text.trim().replace(/\.$/, '');
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}.`;
}
