// An assignment as it begins: nothing of it started yet. Part of evolve.
import type { Lane } from '../scheduling/index-types.ts';
import type { TasksAssigned } from './events.ts';
import type { Assignment, WorkerRecord } from './state.ts';

const noDevices: Assignment['devices'] = Object.freeze([]);

export function assignmentOf(
  event: TasksAssigned,
  { opened, group }: Lane,
  { pool }: WorkerRecord,
  unstartedMs: number,
  atMs: number,
): Assignment {
  return {
    assignment: event.assignment,
    run: event.run,
    suite: event.suite,
    worker: event.worker,
    atMs,
    pool,
    opened,
    devices: event.devices ?? noDevices,
    tasks: event.tasks,
    takeBack: null,
    open: event.tasks.length,
    unstarted: event.tasks.length,
    unstartedMs,
    sinceMs: atMs,
    runningMs: 0,
    endsAtMs: atMs + unstartedMs,
    group,
    heapSlot: -1,
  };
}
