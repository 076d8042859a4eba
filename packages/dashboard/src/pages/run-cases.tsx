// The cases of a run as a list that draws only what is seen: a hundred thousand scroll, filter and search like a hundred.
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { client } from '../connection.ts';
import { type CaseLine, RunCases } from '../live/cases.ts';
import { Badge, Empty, Failure, Section } from '../parts/basic.tsx';
import { useHere } from '../parts/context.ts';
import { count, duration } from '../parts/format.ts';

const rowPx = 44;
const statuses = ['failed', 'passed', 'skipped', 'todo'];

export function CaseTable({ run }: { run: string }) {
  const { live } = useHere();
  const { status = '', q = '' } = useSearch({ from: '/runs/$run' });
  const [cases, setCases] = useState<RunCases | null>(null);
  useEffect(() => {
    const opened = new RunCases(client, live, run);
    setCases(opened);
    return () => opened.stop();
  }, [live, run]);
  if (cases === null) return null;
  return <Filled cases={cases} status={status} words={q} />;
}

function Filled({ cases, status, words }: { cases: RunCases; status: string; words: string }) {
  const subscribe = useMemo(() => (listener: () => void) => cases.onChange(listener), [cases]);
  useSyncExternalStore(subscribe, () => cases.version());
  useEffect(() => cases.setFilter({ status, words }), [cases, status, words]);
  const { total, isReading, error } = cases.state();
  const shown = cases.shown();
  return (
    <Section
      title="Cases"
      extra={
        <span className="note" role="status">
          {shown.length === total ? count(total) : `${count(shown.length)} of ${count(total)}`}
          {isReading ? ', reading' : ''}
        </span>
      }
    >
      <Filters status={status} words={words} />
      {error === null ? null : <Failure error={error} />}
      {shown.length === 0 ? (
        <Empty>{total === 0 ? (isReading ? 'Reading…' : 'No case was reported yet.') : 'None is like that.'}</Empty>
      ) : (
        <List lines={shown} />
      )}
    </Section>
  );
}

function Filters({ status, words }: { status: string; words: string }) {
  const navigate = useNavigate({ from: '/runs/$run' });
  const set = (change: { status?: string | undefined; q?: string | undefined }): void =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  return (
    <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Status{' '}
        <select value={status} onChange={(event) => set({ status: event.target.value || undefined })}>
          <option value="">all</option>
          {statuses.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Search <input type="search" value={words} onChange={(event) => set({ q: event.target.value || undefined })} />
      </label>
    </form>
  );
}

function List({ lines }: { lines: readonly CaseLine[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 8,
  });
  return (
    <div
      className="virtual"
      style={{ height: `min(65vh, ${rows.getTotalSize() + 2}px)` }}
      ref={scroller}
      tabIndex={0}
      role="table"
      aria-label="Cases"
      aria-rowcount={lines.length}
    >
      <div role="rowgroup" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const line = lines[index];
          if (line === undefined) return null;
          return (
            <div
              key={line.key}
              role="row"
              aria-rowindex={index + 1}
              className="case"
              style={{ transform: `translateY(${start}px)`, height: rowPx }}
            >
              <span role="cell">
                <Badge name={line.status} />
              </span>
              <span role="cell" className="what">
                <Link to="/tasks/$task" params={{ task: line.task }} title={`${line.name}\n${line.target}`}>
                  {line.name}
                </Link>
                <span className="note">{line.message ?? line.target}</span>
              </span>
              <span role="cell" className="number">
                {duration(line.durationMs)}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
