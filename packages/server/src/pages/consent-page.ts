import { escapeHtml, page } from './page.ts';

/** What a person should know before they let a client in. */
export interface ConsentQuestion {
  readonly clientName: string;
  readonly clientId: string;
  /** Where the client says that it is at home. */
  readonly clientUri?: string | undefined;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly personName: string;
  readonly toolCount: number;
}

const meanings: Readonly<Record<string, string>> = {
  mcp: 'See and call the tools of the hub “main”',
  offline_access: 'Stay connected until you disconnect it',
  openid: 'Know which account of this Luna is yours',
};

/** The page on which a person lets a client in, or does not. `basePath`: see `PublicAddress.basePath`. */
export function consentPage(question: ConsentQuestion, basePath: string): string {
  const { clientName, clientId, clientUri, redirectUri, scopes, personName, toolCount } = question;
  const rows = [
    ['Calls itself', clientName],
    ['Client id', clientId],
    ...(clientUri === undefined ? [] : [['Home page', clientUri]]),
    ['You are sent back to', redirectUri],
    ['Signed in as', personName],
  ];
  return page(
    `Let “${clientName}” in?`,
    `<p>A program asks to use this Luna in your name.</p>
<dl>
${rows.map(([name = '', value = '']) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('\n')}
<div><dt>It may</dt><dd>${scopes.map((scope) => escapeHtml(meanings[scope] ?? scope)).join('<br>')}</dd></div>
</dl>
<p class="warn">The name is what the program says of itself. Let it in only if you have just begun this yourself, and know the place that you are sent back to${toolCount > 0 ? `: it can call ${toolCount} ${toolCount === 1 ? 'tool' : 'tools'} then` : ''}.</p>
<form method="post" class="actions">
<button class="go" name="decision" value="allow">Let it in</button>
<button name="decision" value="deny">Refuse</button>
</form>`,
    basePath,
  );
}
