// Numbers, times and names as people read them. A dash stands where nothing is known, never a zero.
import type { CaseCounts, FeedItem, TaskCounts } from '@assay/protocol';

export const nothing = '–';

const whole = new Intl.NumberFormat();

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? nothing : whole.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${whole.format(value)} ${value === 1 ? one : many}`;
}

/** A duration with its unit: 870 ms, 12.3 s, 4 min 05 s, 3 h 10 min. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return nothing;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return plural(Math.round(minutes / 1_440), 'day');
}

export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`;
  if (value < 1_048_576) return `${(value / 1_024).toFixed(1)} KiB`;
  return `${(value / 1_048_576).toFixed(1)} MiB`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** The time of day today, with the date before. */
export function time(atMs: number): string {
  const isToday = new Date(atMs).toDateString() === new Date().toDateString();
  return (isToday ? clock : day).format(atMs);
}

/** The exact instant, in the viewer's zone and in UTC. */
export function instant(atMs: number): string {
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' }).format(atMs);
  return `${exact} (${new Date(atMs).toISOString()})`;
}

export const verdictWords: Record<string, string> = {
  timedOut: 'timed out',
  halfOpen: 'half-open',
  forcedOpen: 'forced open',
  metricsOnly: 'metrics only',
};
export const words = (name: string): string => verdictWords[name] ?? name;

export function countsText(counts: TaskCounts): string {
  const { total, settled, running, assigned, queued } = counts;
  const parts = [`${count(settled)} of ${count(total)} settled`];
  if (running > 0) parts.push(`${count(running)} running`);
  if (assigned > 0) parts.push(`${count(assigned)} assigned`);
  if (queued > 0) parts.push(`${count(queued)} waiting`);
  return parts.join(', ');
}

export function casesText(cases: CaseCounts): string {
  const parts = Object.entries(cases).filter(([, value]) => value > 0);
  return parts.length === 0 ? nothing : parts.map(([name, value]) => `${count(value)} ${name}`).join(', ');
}

/** One item of the feed in words; where it leads is for the page to say. */
export function happened(item: FeedItem): string {
  switch (item.kind) {
    case 'runSubmitted':
      return `${item.name} was submitted`;
    case 'tasksQueued':
      return `${plural(item.count, 'task')} queued`;
    case 'runUnplaceable':
      return `${plural(item.tasks, 'task')} that no worker can do: ${item.reasons[0] ?? item.requires}`;
    case 'attemptStarted':
      return `${item.target || 'command'} started`;
    case 'attemptSettled':
      return `${item.target || 'command'}: ${words(item.verdict)}${item.failure === undefined ? '' : ` (${item.failure.class}, ${item.failure.code})`}${item.willRetry ? ', it is tried again' : ''}`;
    case 'taskSettled':
      return `${item.target || 'command'} settled: ${words(item.verdict)}`;
    case 'runSettled':
      return `the run settled: ${words(item.verdict)}`;
    case 'runCancelRequested':
      return `${item.actor} canceled it: ${item.reason}`;
    case 'workerJoined':
      return `${item.name} joined with ${plural(item.slots, 'slot')}`;
    case 'circuitMoved':
      return `circuit ${item.circuit}: ${words(item.from)} to ${words(item.to)} (${item.cause})`;
    case 'conditionChanged':
      return `${item.device ?? 'worker'}: ${item.previous} to ${item.condition} (${item.reason})`;
    case 'operatorNeeded':
      return `an operator is needed: ${item.reason}`;
    case 'gateFlipped':
      return `gate ${item.gate} ${item.isShut ? 'shut' : 'opened'}: ${item.reason}`;
    case 'outageOpened':
      return `one trouble of many: ${item.name} (${plural(item.tasks, 'task')}, ${plural(item.workers, 'worker')})`;
    case 'recoveryReported':
      return `${item.device ?? 'worker'}: recovery step ${item.rung}: ${item.outcome}`;
    default:
      return item.kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  }
}
