// Workers by time: what each worker did in a run and when. A bar is an attempt: its wait on the worker, then its work.
// Read from the attempts themselves; its table is the list of tasks.
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import type { TaskView } from '@assay/protocol';
import { tasksReading } from '../live/readings.ts';
import { Empty, Failure, Loading, Section } from '../parts/basic.tsx';
import { Chart, type Colours } from '../parts/chart.tsx';
import { ganttOption, ganttRows } from '../parts/gantt.ts';

export function Timeline({ run }: { run: string }) {
  const { data, error } = useQuery(tasksReading(run));
  if (error !== null) return <Failure error={error} />;
  if (data === undefined) return <Loading />;
  return <Filled tasks={data} />;
}

function Filled({ tasks }: { tasks: TaskView[] }) {
  const rows = useMemo(() => ganttRows(tasks), [tasks]);
  const lanes = useMemo(() => [...new Set(rows.map(({ lane }) => lane))].toSorted(), [rows]);
  const option = useCallback((colours: Colours) => ganttOption(rows, lanes, colours), [rows, lanes]);
  if (rows.length === 0)
    return (
      <Section title="Timeline">
        <Empty>Nothing was given to a worker yet.</Empty>
      </Section>
    );
  return (
    <Section title="Timeline">
      <Chart
        name="Workers by time"
        option={option}
        heightPx={Math.min(900, 90 + lanes.length * 34)}
        columns={['worker', 'task', 'attempt', 'verdict', 'waited ms', 'worked ms']}
        rows={rows.map((row) => [
          row.worker,
          row.target,
          row.attempt,
          row.verdict,
          row.startMs - row.waitMs,
          row.endMs - row.startMs,
        ])}
      />
    </Section>
  );
}
