// The small pieces that every page is made of.
import type { ReactNode } from 'react';
import type { TaskCounts } from '@assay/protocol';
import { instant, time, words } from './format.ts';

/** A moment in the viewer's zone; the exact instant on hover and for machines. */
export function Time({ atMs }: { atMs: number }) {
  return (
    <time dateTime={new Date(atMs).toISOString()} title={instant(atMs)}>
      {time(atMs)}
    </time>
  );
}

const tones: Record<string, string> = {
  passed: 'good',
  ok: 'good',
  ready: 'good',
  closed: 'good',
  failed: 'bad',
  errored: 'bad',
  timedOut: 'bad',
  lost: 'bad',
  open: 'bad',
  forcedOpen: 'bad',
  quarantined: 'bad',
  notRun: 'warn',
  inconclusive: 'warn',
  canceled: 'warn',
  disconnected: 'warn',
  draining: 'warn',
  suspect: 'warn',
  halfOpen: 'warn',
  maintenance: 'warn',
  disabled: 'warn',
  metricsOnly: 'warn',
  running: 'busy',
  busy: 'busy',
  assigned: 'busy',
};
const marks: Record<string, string> = { good: '✓', bad: '✗', warn: '!', busy: '▸', calm: '·' };

export function toneOf(name: string): string {
  return tones[name] ?? 'calm';
}

/** A state by word, sign and colour: colour alone says nothing. */
export function Badge({ name }: { name: string }) {
  const tone = toneOf(name);
  return (
    <span className={`badge ${tone}`}>
      <span aria-hidden="true">{marks[tone]}</span> {words(name)}
    </span>
  );
}

export function Section({ title, extra, children }: { title: string; extra?: ReactNode; children: ReactNode }) {
  const id = `s-${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
  return (
    <section className="card" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {extra}
      </header>
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}

export function Figure({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd>
        <span className="value">{value}</span>
        {note === undefined ? null : <span className="note">{note}</span>}
      </dd>
    </div>
  );
}

/** How far a run is: what ended how, what runs, what waits. */
export function Progress({ counts, label }: { counts: TaskCounts; label: string }) {
  const parts = [
    ...Object.entries(counts.verdicts).map(([name, value]) => ({ tone: toneOf(name), name, value: value ?? 0 })),
    { tone: 'busy', name: 'running', value: counts.running + counts.assigned },
  ].filter(({ value }) => value > 0);
  const text = parts.map(({ name, value }) => `${value} ${words(name)}`).join(', ');
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={counts.total}
      aria-valuenow={counts.settled}
      aria-valuetext={`${counts.settled} of ${counts.total} settled${text === '' ? '' : `: ${text}`}`}
    >
      {parts.map(({ tone, name, value }) => (
        <span key={name} className={tone} style={{ width: `${(value / Math.max(1, counts.total)) * 100}%` }} />
      ))}
    </div>
  );
}

export function Failure({ error }: { error: unknown }) {
  const next = error instanceof Error && 'next' in error ? String(error.next) : null;
  return (
    <div className="fault" role="alert">
      <strong>{error instanceof Error ? error.message : String(error)}</strong>
      {next === null ? null : <p>{next}</p>}
    </div>
  );
}

export function Loading() {
  return (
    <p className="empty" role="status">
      {'Reading…'}
    </p>
  );
}
