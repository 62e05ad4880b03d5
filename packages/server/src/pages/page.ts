/** Text as it can stand in a page, be it between tags or within an attribute in double quotes. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Nothing but the style below, and no page may frame it. A form may lead anywhere: it ends at the client. */
export const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The headers that go with a page. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': pagePolicy,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Without one a browser says that a form comes from nowhere, and the decision would be refused.
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** A page that needs no script. `body` is HTML; the title is text; `basePath` is the path below which Luna is served. */
export function page(title: string, body: string, basePath: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Luna</title>
<link rel="stylesheet" href="${basePath}${stylePath}">
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

export const stylePath = '/auth/page.css';

export const style = `:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #14181f; --soft: #4a5361; --line: #d5dae2; --accent: #2855c5; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1217; --card: #181c23; --ink: #eef1f6; --soft: #b3bccb; --line: #333b48; --accent: #9bb8ff; --on-accent: #0f1217; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 34rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere; }
p { margin: 0 0 1rem; color: var(--soft); overflow-wrap: anywhere; }
dl { margin: 0 0 1.25rem; border: 1px solid var(--line); border-radius: .5rem; }
dl > div { padding: .6rem .9rem; }
dl > div + div { border-top: 1px solid var(--line); }
dt { font-size: .85rem; color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.warn { padding: .6rem .9rem; border: 1px solid var(--line); border-left: .3rem solid var(--accent); border-radius: .5rem; color: var(--ink); }
.actions { display: flex; gap: .75rem; flex-wrap: wrap; }
button { min-height: 2.75rem; padding: 0 1.25rem; border: 1px solid var(--line); border-radius: .5rem; background: transparent; color: var(--ink); font: inherit; font-weight: 600; cursor: pointer; }
button.go { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
