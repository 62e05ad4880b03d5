/** A redirect as it is compared: programs on this machine listen on another port each time (RFC 8252, 7.3). */
export function comparableRedirect(uri: string): string {
  if (!URL.canParse(uri)) return uri;
  const url = new URL(uri);
  if (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) url.port = '';
  return url.href;
}
