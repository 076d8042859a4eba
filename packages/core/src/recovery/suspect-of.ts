// How evidence names a task: by its test, over runs, and by whether it asks for a device.
import type { Suite } from '@assay/protocol';
import type { RunRecord, TaskRecord } from '../engine/state.ts';

export function suspectOf(run: RunRecord, task: TaskRecord): { key: string; usesDevice: boolean } {
  const suite = run.spec.suites[task.suite];
  const key = `${run.spec.project}\n${suite?.name ?? ''}\n${task.target}`;
  return { key, usesDevice: suite !== undefined && usesDevice(suite) };
}

/** Whether a suite asks for more than a processor. */
function usesDevice({ requires, claims }: Suite): boolean {
  return (claims?.length ?? 0) > 0 || /gpu|npu|tpu|accelerator|devices\b/i.test(requires);
}
