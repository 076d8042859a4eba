// Circuits as tables and as text. Words never depend on colour; what was not measured is a dash and never a number.
import type { CircuitTransition, CircuitView } from '@assay/protocol';
import { duration, type Paint, plural } from './style.ts';
import { table } from './table.ts';

const clock = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);

/** What a state is called for people. */
export const stateNames: { readonly [State in CircuitView['state']]: string } = {
  closed: 'closed',
  open: 'open',
  halfOpen: 'half-open',
  forcedOpen: 'forced open',
  disabled: 'disabled',
  metricsOnly: 'metrics only',
};

const causes: Readonly<Record<string, string>> = {
  failureRate: 'too large a share failed',
  slowRate: 'too large a share was slow',
  consecutiveFailures: 'failures in a row',
  peers: 'fails far more than its peers',
  quorum: 'several of its members fail alike',
  blackHole: 'fails everything, and fast',
  openPeriodEnded: 'it is time to look again',
  probeFailed: 'a probe failed',
  probeExpired: 'a probe never answered',
  probesSucceeded: 'its probes went well',
  answered: 'it answered',
  certified: 'its checks passed',
  forced: 'by hand',
  disabled: 'by hand',
  watched: 'by hand',
  released: 'released by hand',
  reset: 'by hand',
};

export const causeText = (cause: string | null): string => (cause === null ? '' : (causes[cause] ?? cause));

const healthText = (health: number | null): string => (health === null ? '-' : `${Math.round(health * 100)} %`);

/** "in 12.0 s", "now", or nothing where only a person knows. */
function nextLook({ state, untilMs }: CircuitView, nowMs: number): string {
  if (state === 'halfOpen' && untilMs === null) return 'now';
  if (untilMs === null) return '';
  return untilMs <= nowMs ? 'now' : `in ${duration(untilMs - nowMs)}`;
}

export function circuitTable(circuits: readonly CircuitView[], nowMs: number, width: number): string {
  const rows = circuits.map((view) => [
    view.circuit,
    stateNames[view.state],
    duration(Math.max(0, nowMs - view.sinceMs)),
    nextLook(view, nowMs),
    healthText(view.health),
    [view.label, causeText(view.cause), view.reason ?? ''].filter((text) => text !== '').join('; '),
  ]);
  return table(['circuit', 'state', 'for', 'next look', 'health', 'what and why'], rows, width);
}

export function circuitText(view: CircuitView, nowMs: number, paint: Paint): string {
  const next = nextLook(view, nowMs);
  const lines = [
    `${paint('bold', view.circuit)}  ${view.label}`,
    `${stateNames[view.state]} for ${duration(Math.max(0, nowMs - view.sinceMs))}${view.cause === null ? '' : `: ${causeText(view.cause)}`}`,
  ];
  if (view.actor !== null) lines.push(`ordered by ${view.actor}: ${view.reason ?? ''}`);
  if (next !== '') lines.push(`next look ${next}`);
  lines.push(
    view.health === null
      ? 'health is not known: nothing was measured lately'
      : `health ${healthText(view.health)}: ${view.failures} of ${plural(view.calls, 'result')} failed, ${view.consecutiveFailures} in a row now`,
  );
  if (view.heldBy !== null) lines.push(`would open, but ${view.heldBy}`);
  if (view.probes.length > 0) lines.push(`probed by ${view.probes.join(', ')}`);
  const failing = view.members.filter(({ failures }) => failures > 0);
  if (failing.length > 0)
    lines.push(`failed in it: ${failing.map(({ member, failures }) => `${member} (${failures})`).join(', ')}`);
  if (view.evidence.length > 0) lines.push(`evidence in the journal: ${view.evidence.join(', ')}`);
  if (view.history.length > 0) lines.push(`${plural(view.history.length, 'transition')}: assay circuits history`);
  return lines.join('\n');
}

export function historyTable(history: readonly CircuitTransition[], width: number): string {
  const rows = history.map(({ atMs, from, to, cause, actor, reason, seq, evidence }) => [
    clock(atMs),
    `${stateNames[from]} -> ${stateNames[to]}`,
    seq === null ? '-' : String(seq),
    evidence.length === 0 ? '-' : evidence.join(' '),
    [causeText(cause), actor === undefined ? '' : `${actor}: ${reason ?? ''}`].filter((text) => text !== '').join('; '),
  ]);
  return table(['at (UTC)', 'transition', 'journal', 'evidence', 'why'], rows, width);
}
