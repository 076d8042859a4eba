// The bars of a run's timeline from its attempts, and the chart of them.
// Source of the critical path: with one queue and no waiting between tasks, what ends last and what it waited behind on its
// own worker is what bounds the run; those attempts are marked.
import type { TaskView } from '@assay/protocol';
import type { Colours, Option } from './chart.tsx';

export type GanttRow = {
  worker: string;
  /** The row that it is drawn in: what overlaps on a worker, by its slots or because its reports did, has several. */
  lane: string;
  task: string;
  target: string;
  attempt: number;
  verdict: string;
  /** From when the slot was its own: from its assignment, or from the end of what ran there before it in the same batch. */
  waitMs: number;
  startMs: number;
  endMs: number;
  isHedge: boolean;
  isCritical: boolean;
};

export function ganttRows(tasks: readonly TaskView[], nowMs: number = Date.now()): GanttRow[] {
  const rows = tasks.flatMap(({ task, target, attempts }) =>
    attempts.flatMap((attempt): GanttRow[] => {
      const { worker, workerName, assignedAtMs, startedAtMs, settledAtMs, verdict, failure } = attempt;
      if (worker === null || assignedAtMs === undefined) return [];
      const endMs = settledAtMs ?? nowMs;
      return [
        {
          worker: workerName ?? worker,
          task,
          target: target || task,
          attempt: attempt.attempt,
          verdict: verdict ?? 'running',
          lane: '',
          waitMs: assignedAtMs,
          startMs: Math.min(endMs, startedAtMs ?? endMs),
          endMs,
          isHedge: failure?.code === 'HEDGED',
          isCritical: false,
        },
      ];
    }),
  );
  placeInLanes(rows);
  markCritical(rows);
  return rows;
}

/** Each bar goes into the first lane of its worker in which nothing runs when it starts. */
function placeInLanes(rows: GanttRow[]): void {
  const ends = new Map<string, number[]>();
  for (const row of rows.toSorted((a, b) => a.startMs - b.startMs || a.task.localeCompare(b.task))) {
    const lanes = ends.get(row.worker) ?? [];
    ends.set(row.worker, lanes);
    const free = lanes.findIndex((endMs) => endMs <= row.startMs);
    const lane = free === -1 ? lanes.length : free;
    row.waitMs = Math.min(row.startMs, Math.max(row.waitMs, lanes[lane] ?? row.waitMs));
    lanes[lane] = row.endMs;
    row.lane = lane === 0 ? row.worker : `${row.worker} (${lane + 1})`;
  }
}

/** From what ended last, back along its worker for as long as one thing followed another. */
function markCritical(rows: GanttRow[]): void {
  const byEnd = rows.toSorted((a, b) => b.endMs - a.endMs || a.task.localeCompare(b.task));
  let current = byEnd[0];
  while (current !== undefined) {
    current.isCritical = true;
    const { lane, startMs } = current;
    current = byEnd.find((row) => !row.isCritical && row.lane === lane && row.endMs <= startMs);
  }
}

export function ganttOption(rows: readonly GanttRow[], lanes: readonly string[], colours: Colours): Option {
  const firstMs = Math.min(...rows.map(({ waitMs }) => waitMs));
  const tone = (row: GanttRow): string =>
    row.isHedge
      ? colours.warn
      : row.verdict === 'passed'
        ? colours.good
        : row.verdict === 'running'
          ? colours.busy
          : colours.bad;
  return {
    grid: { left: 8, right: 16, top: 16, bottom: 56, containLabel: true },
    tooltip: { trigger: 'item', renderMode: 'richText' },
    dataZoom: [{ type: 'inside' }, { type: 'slider', height: 18, bottom: 8 }],
    xAxis: { type: 'value', min: 0, axisLabel: { formatter: (ms: number) => `${(ms / 1_000).toFixed(1)} s` } },
    yAxis: { type: 'category', data: [...lanes], inverse: true },
    series: [
      {
        type: 'custom',
        encode: { x: [1, 2, 3], y: 0 },
        tooltip: {
          formatter: (point: { dataIndex: number }) => {
            const row = rows[point.dataIndex];
            if (row === undefined) return '';
            const ms = (from: number, to: number): string => `${((to - from) / 1_000).toFixed(2)} s`;
            return `${row.target}, attempt ${row.attempt}\n${row.verdict}${row.isHedge ? ', a duplicate' : ''}\nset-up and waiting on the worker: ${ms(row.waitMs, row.startMs)}\nexecution: ${ms(row.startMs, row.endMs)}${row.isCritical ? '\non the path that bounds the run' : ''}`;
          },
        },
        renderItem: (_parameters: unknown, api: GanttApi) => {
          const [x1, y] = api.coord([api.value(1), api.value(0)]);
          const [x2] = api.coord([api.value(2), api.value(0)]);
          const [x3] = api.coord([api.value(3), api.value(0)]);
          const height = api.size([0, 1])[1] * 0.6;
          const row = rows[api.value(4)];
          const bar = (x: number, width: number, fill: string, opacity: number) => ({
            type: 'rect' as const,
            shape: { x, y: y - height / 2, width: Math.max(1, width), height },
            style: { fill, opacity, ...(row?.isCritical === true ? { stroke: colours.text, lineWidth: 1.5 } : {}) },
          });
          if (row === undefined) return null;
          return {
            type: 'group' as const,
            children: [bar(x1, x2 - x1, colours.calm, 0.5), bar(x2, x3 - x2, tone(row), 0.9)],
          };
        },
        data: rows.map((row, index) => [
          lanes.indexOf(row.lane),
          row.waitMs - firstMs,
          row.startMs - firstMs,
          row.endMs - firstMs,
          index,
        ]),
      },
    ],
  };
}

type GanttApi = {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
  size(size: [number, number]): [number, number];
};
