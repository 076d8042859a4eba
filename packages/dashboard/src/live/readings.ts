// The readings that pages show, by name. None is repeated by a clock: marks.ts has them read again when the feed says why.
import { queryOptions } from '@tanstack/react-query';
import type { RunView, TaskView } from '@assay/protocol';
import { client } from '../connection.ts';
import { keys } from './keys.ts';

const runsShown = 100;
const tasksMax = 20_000;

export const runsReading = queryOptions<RunView[]>({
  queryKey: keys.runs,
  queryFn: async () => (await client.listRuns({ limit: runsShown })).runs,
});
export const runReading = (run: string) =>
  queryOptions({ queryKey: keys.run(run), queryFn: () => client.readRun(run) });
export const tasksReading = (run: string) =>
  queryOptions({
    queryKey: keys.tasks(run),
    queryFn: async () => {
      const tasks: TaskView[] = [];
      for (let after: string | undefined; tasks.length < tasksMax;) {
        const page = await client.listTasks(run, { limit: 1_000, ...(after === undefined ? {} : { after }) });
        tasks.push(...page.tasks);
        if (page.next === null) break;
        after = page.next;
      }
      return tasks;
    },
  });
export const taskReading = (task: string) =>
  queryOptions({ queryKey: keys.task(task), queryFn: () => client.readTask(task) });
export const explainReading = (task: string) =>
  queryOptions({ queryKey: keys.explain(task), queryFn: () => client.explainTask(task) });
export const workersReading = queryOptions({
  queryKey: keys.workers,
  queryFn: async () => (await client.listWorkers()).workers,
});
export const workerReading = (worker: string) =>
  queryOptions({ queryKey: keys.worker(worker), queryFn: () => client.readWorker(worker) });
export const circuitsReading = queryOptions({
  queryKey: keys.circuits,
  queryFn: async () => (await client.listCircuits()).circuits,
});
export const circuitReading = (circuit: string) =>
  queryOptions({ queryKey: keys.circuit(circuit), queryFn: () => client.readCircuit(circuit) });
export const recoveryReading = queryOptions({
  queryKey: keys.recovery,
  queryFn: async () => (await client.recoveryHistory()).rungs,
});
