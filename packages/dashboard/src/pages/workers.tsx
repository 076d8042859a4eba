// The fleet as a table that can be sorted and searched, and as a grid of its load; thousands of rows draw only what is seen.
import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import type { WorkerView } from '@assay/protocol';
import { workersReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Loading, Section, Time, toneOf } from '../parts/basic.tsx';
import { useTitle } from '../parts/context.ts';
import { count, words } from '../parts/format.ts';

const rowPx = 40;
const columns = {
  name: { title: 'Worker', of: (worker: WorkerView) => worker.name },
  pool: { title: 'Pool', of: (worker: WorkerView) => worker.pool },
  state: { title: 'State', of: (worker: WorkerView) => worker.state },
  running: { title: 'Slots in use', of: (worker: WorkerView) => worker.running / Math.max(1, worker.slots) },
  since: { title: 'Since', of: (worker: WorkerView) => worker.sinceMs },
} as const;
type Column = keyof typeof columns;
const isColumn = (name: string): name is Column => Object.hasOwn(columns, name);

export function WorkersPage() {
  useTitle('Workers');
  const { sort = 'name', q = '' } = useSearch({ from: '/workers' });
  const navigate = useNavigate({ from: '/workers' });
  const { data, error } = useQuery(workersReading);
  const shown = useMemo(() => arranged(data ?? [], sort, q), [data, sort, q]);
  if (error !== null) return <Failure error={error} />;
  return (
    <>
      <h1>Workers</h1>
      {data === undefined ? <Loading /> : null}
      {data?.length === 0 ? (
        <Empty>
          None has joined. <code>assay worker --join {location.origin}</code> on a machine adds it.
        </Empty>
      ) : null}
      {data === undefined || data.length === 0 ? null : (
        <>
          <HeatGrid workers={shown} />
          <Section
            title="Fleet"
            extra={
              <span className="note">
                {shown.length === data.length ? count(data.length) : `${count(shown.length)} of ${count(data.length)}`}
              </span>
            }
          >
            <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
              <label>
                Search{' '}
                <input
                  type="search"
                  value={q}
                  onChange={(event) =>
                    void navigate({ search: (old) => ({ ...old, q: event.target.value || undefined }), replace: true })
                  }
                />
              </label>
            </form>
            <Table
              workers={shown}
              sort={sort}
              onSort={(next) => void navigate({ search: (old) => ({ ...old, sort: next }) })}
            />
          </Section>
        </>
      )}
    </>
  );
}

/** `-name` is the other way round. What is equal stays in the order of names. */
function arranged(workers: WorkerView[], sort: string, q: string): WorkerView[] {
  const name = sort.replace(/^-/, '');
  const { of } = columns[isColumn(name) ? name : 'name'];
  const sign = sort.startsWith('-') ? -1 : 1;
  const parts = q.toLowerCase().split(/\s+/).filter(Boolean);
  return workers
    .filter((worker) => {
      const text = `${worker.name} ${worker.worker} ${worker.pool} ${worker.state} ${Object.entries(worker.declared).flat().join(' ')}`;
      return parts.every((part) => text.toLowerCase().includes(part));
    })
    .toSorted((a, b) => {
      const [one, other] = [of(a), of(b)];
      return one === other ? a.name.localeCompare(b.name) : (one < other ? -1 : 1) * sign;
    });
}

function HeatGrid({ workers }: { workers: WorkerView[] }) {
  return (
    <Section title="Load" extra={<span className="note">a square is a worker, filled by its slots in use</span>}>
      <div className="heat">
        {workers.map((worker) => (
          <Link
            key={worker.worker}
            to="/workers/$worker"
            params={{ worker: worker.worker }}
            className={`cell ${toneOf(worker.condition?.kind === 'ready' || worker.condition === undefined ? worker.state : worker.condition.kind)}`}
            title={`${worker.name}: ${words(worker.state)}, ${worker.running} of ${worker.slots} slots in use`}
            aria-label={`${worker.name}: ${words(worker.state)}, ${worker.running} of ${worker.slots} slots in use`}
          >
            <span style={{ height: `${(worker.running / Math.max(1, worker.slots)) * 100}%` }} />
          </Link>
        ))}
      </div>
    </Section>
  );
}

function Table({ workers, sort, onSort }: { workers: WorkerView[]; sort: string; onSort: (sort: string) => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: workers.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 8,
  });
  const direction = (column: string): 'ascending' | 'descending' | 'none' =>
    sort === column ? 'ascending' : sort === `-${column}` ? 'descending' : 'none';
  return (
    <div
      className="virtual fleet"
      style={{ height: `min(60vh, ${(workers.length + 1) * rowPx + 20}px)` }}
      ref={scroller}
      tabIndex={0}
      role="table"
      aria-label="Fleet"
      aria-rowcount={workers.length + 1}
    >
      <div role="rowgroup" className="columns-head">
        <div role="row" aria-rowindex={1} className="worker-row">
          {Object.entries(columns).map(([column, { title }]) => (
            <span key={column} role="columnheader" aria-sort={direction(column)}>
              <button type="button" className="quiet" onClick={() => onSort(sort === column ? `-${column}` : column)}>
                {title}
                <span aria-hidden="true">{{ ascending: ' ↑', descending: ' ↓', none: '' }[direction(column)]}</span>
              </button>
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" style={{ height: rows.getTotalSize() }} className="body">
        {rows.getVirtualItems().map(({ index, start }) => {
          const worker = workers[index];
          if (worker === undefined) return null;
          return <Row key={worker.worker} worker={worker} index={index} start={start} />;
        })}
      </div>
    </div>
  );
}

function Row({ worker, index, start }: { worker: WorkerView; index: number; start: number }) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className="worker-row"
      style={{ transform: `translateY(${start}px)`, height: rowPx }}
    >
      <span role="cell" className="what">
        <Link to="/workers/$worker" params={{ worker: worker.worker }}>
          {worker.name}
        </Link>
      </span>
      <span role="cell">{worker.pool}</span>
      <span role="cell">
        <Badge
          name={
            worker.condition !== undefined && worker.condition.kind !== 'ready' ? worker.condition.kind : worker.state
          }
        />
      </span>
      <span role="cell">
        {worker.running} of {worker.slots}
      </span>
      <span role="cell">
        <Time atMs={worker.sinceMs} />
      </span>
    </div>
  );
}
