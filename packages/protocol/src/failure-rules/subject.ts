// What a line says has failed, in a form that two machines would write alike: the PCI address of a device, or the host and
// port that a connection was for. Several failures of one subject are one trouble. The expressions are linear: no part of
// them can match the same text in two ways.
import type { FailureRule } from './rule.ts';

const pciAddress = /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2})(?:\.[0-7])?\b/i;
const hostAndPort =
  /(?<![\w./\\@-])(\[[0-9a-f:]{2,39}\]|[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?|[0-9a-f:]{2,39}):(\d{2,5})(?![\w.]|:\S)/i;
const sourceLine = /\.(?:[cm]?[jt]sx?|py|go|rs|c|cc|cpp|h|java|rb|kt|swift)$/i;
const hostName =
  /(?:getaddrinfo [A-Z_]{1,20} |[Cc]ould not resolve host:? |no such host:? |lookup )([a-z0-9][a-z0-9.-]{0,250})/;

export function subjectOf(rule: FailureRule, line: string): string | null {
  if (rule.reads === 'kernel') return pciAddress.exec(line)?.[1]?.toLowerCase() ?? null;
  if (rule.class !== 'infrastructure') return null;
  const found = hostAndPort.exec(line);
  if (found !== null && !sourceLine.test(found[1] ?? '')) return `${found[1]?.toLowerCase()}:${found[2]}`;
  return hostName.exec(line)?.[1]?.toLowerCase() ?? null;
}

/** Whether a subject is the machine itself, so that two machines that name it mean two things. */
export function isLoopback(subject: string): boolean {
  return /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?|0\.0\.0\.0)(?::\d+)?$/.test(subject);
}
