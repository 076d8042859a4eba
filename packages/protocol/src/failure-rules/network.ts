// The network, by the names that errno, getaddrinfo, browsers and HTTP servers use. A test that provokes such an error on
// purpose is not touched by these: its assertions decide (see explain.ts).
import type { FailureRule } from './rule.ts';

const row = (id: string, code: string, patterns: readonly string[], means: string, source: string): FailureRule => ({
  id,
  class: 'infrastructure',
  code,
  reads: 'text',
  patterns,
  means,
  source,
});
const errno =
  'POSIX errno.h, glibc errlist, libuv uv-errno; browsers: Chromium net/base/net_error_list.h, Firefox nsresult';

export const networkRules: readonly FailureRule[] = [
  row(
    'network/refused',
    'CONNECTION_REFUSED',
    [
      'ECONNREFUSED',
      'Connection refused',
      'connection refused',
      'net::ERR_CONNECTION_REFUSED',
      'NS_ERROR_CONNECTION_REFUSED',
      'WSAECONNREFUSED',
    ],
    'Nothing listens where the test connects to.',
    errno,
  ),
  row(
    'network/name',
    'NAME_NOT_RESOLVED',
    [
      'getaddrinfo ENOTFOUND',
      'EAI_AGAIN',
      'Temporary failure in name resolution',
      'Name or service not known',
      'net::ERR_NAME_NOT_RESOLVED',
      'Could not resolve host',
      'no such host',
      'NS_ERROR_UNKNOWN_HOST',
    ],
    'A name has no address for this machine.',
    `getaddrinfo(3), gai_strerror; curl; Go net; ${errno}`,
  ),
  row(
    'network/reset',
    'CONNECTION_LOST',
    [
      'ECONNRESET',
      'Connection reset by peer',
      'connection reset by peer',
      'socket hang up',
      'net::ERR_CONNECTION_RESET',
      'net::ERR_EMPTY_RESPONSE',
      'NS_ERROR_NET_RESET',
      'EPIPE',
      'Broken pipe',
    ],
    'The other end cut the connection.',
    `Node.js lib/_http_client.js; ${errno}`,
  ),
  row(
    'network/timeout',
    'CONNECTION_TIMED_OUT',
    [
      'ETIMEDOUT',
      'Connection timed out',
      'net::ERR_CONNECTION_TIMED_OUT',
      'net::ERR_TIMED_OUT',
      'UND_ERR_CONNECT_TIMEOUT',
      'NS_ERROR_NET_TIMEOUT',
    ],
    'The other end did not answer in time.',
    `undici lib/core/errors.js; ${errno}`,
  ),
  row(
    'network/unreachable',
    'NETWORK_UNREACHABLE',
    [
      'ENETUNREACH',
      'EHOSTUNREACH',
      'ENETDOWN',
      'Network is unreachable',
      'No route to host',
      'net::ERR_INTERNET_DISCONNECTED',
      'net::ERR_ADDRESS_UNREACHABLE',
      'net::ERR_NETWORK_CHANGED',
      'net::ERR_PROXY_CONNECTION_FAILED',
    ],
    'The machine has no way to the other end.',
    errno,
  ),
  row(
    'network/service',
    'SERVICE_UNAVAILABLE',
    [
      '503 Service Unavailable',
      '502 Bad Gateway',
      '504 Gateway Time',
      '429 Too Many Requests',
      'HTTP 503',
      'status code 503',
      'status code 502',
      'status code 504',
    ],
    'A service that the test uses said that it cannot serve.',
    'RFC 9110, sections 15.6.3 to 15.6.5; RFC 6585, section 4; axios lib/core/settle.js',
  ),
];
