// Keeps web pages away from a coordinator that asks for no token. A browser sends requests for any page to loopback, so
// being on this machine proves nothing: a page may name 127.0.0.1 itself (its Origin then differs from our Host) or point
// a host name of its own at it (DNS rebinding; its Host is then not a loopback name). Both are refused, on every route
// and on the WebSocket. Where tokens are asked for this is not needed: a page has none, and no route answers CORS.
import type { IncomingHttpHeaders } from 'node:http';

/** Whether a host (name or address, no port, no brackets) can only be this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost' || name === '::1' || name === '0:0:0:0:0:0:0:1') return true;
  return /^127(\.\d{1,3}){3}$/.test(name);
}

/** Why a request must not be served without a token, or null when it may be. */
export function browserObjection(headers: IncomingHttpHeaders, isNavigationAllowed: boolean): string | null {
  const host = headers.host;
  const hostname = host === undefined ? null : hostnameOf(host);
  if (hostname === null || !isLoopbackHost(hostname)) {
    return 'without tokens, the Host header must be a loopback name or address';
  }
  const origin = headers.origin;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return 'without tokens, requests from pages of another origin are refused';
  }
  const site = headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site';
  if (isForeign && !(isNavigationAllowed && headers['sec-fetch-mode'] === 'navigate')) {
    return 'without tokens, requests from pages of another site are refused';
  }
  return null;
}

/** Whether a request can come from a page of this server, as far as the browser says; what is no browser says nothing. */
export function isOwnPage({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  const isOwnOrigin = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  return isOwnOrigin && (site === undefined || site === 'same-origin');
}

function hostnameOf(host: string): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))(?::\d{1,5})?$/.exec(host);
  return match?.[1] ?? match?.[2] ?? null;
}
