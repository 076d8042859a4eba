// The execution of batches, loaded with the first batch: runners, reports and their readers are several MiB that an idle
// agent does without.
import type { BrowserStep } from './browsers/pool.ts';
import type { Batch, BatchInput, BatchSink } from './execute/execute-batch.ts';
import type { DeviceAction, StepEnd } from './ladder/ladder.ts';

let isLoaded = false;

/** Loads it ahead of the first batch, where that is sure to come soon. */
export async function prepareToExecute(): Promise<void> {
  await import('./execute/execute-batch.ts');
}

export function execute(input: BatchInput, sink: BatchSink): Batch {
  let wanted: ((batch: Batch) => void)[] = [];
  let batch: Batch | null = null;
  const when = (act: (batch: Batch) => void): void => {
    if (batch === null) wanted.push(act);
    else act(batch);
  };
  isLoaded = true;
  const done = import('./execute/execute-batch.ts').then(({ executeBatch }) => {
    batch = executeBatch(input, sink);
    for (const act of wanted) act(batch);
    wanted = [];
    return batch.done;
  });
  return {
    withdraw: (refs) => when((started) => started.withdraw(refs)),
    cancel: (refs, reason) => when((started) => started.cancel(refs, reason)),
    done,
  };
}

/** Ends the browsers that wait for their next task, where any was ever started. */
export async function endSessions(): Promise<void> {
  if (!isLoaded) return;
  const { endSessions: end } = await import('./execute/execute-batch.ts');
  await end();
}

/** A browser's step of recovery, for the ladder: of a browser, of the GPU that it draws with, or of the worker as a whole. */
export function browserAction(step: BrowserStep): DeviceAction {
  return (device) => (isLoaded && concernsBrowsers(device) ? repairBrowsers(step) : null);
}

function concernsBrowsers(device: string | null): boolean {
  return device === null || /^(?:browser|gpu)\b/.test(device);
}

async function repairBrowsers(step: BrowserStep): Promise<StepEnd> {
  const { repairSessions } = await import('./execute/execute-batch.ts');
  const done = await repairSessions(step);
  if (done === null || done.renewed + done.ended + done.inUse === 0)
    return { outcome: 'notApplicable', evidence: { message: 'no browser is open' } };
  const { renewed, ended, inUse, trouble } = done;
  const evidence = {
    renewed: String(renewed),
    ended: String(ended),
    inUse: String(inUse),
    ...(trouble.length === 0 ? {} : { message: trouble.join('; ').slice(0, 500) }),
  };
  // What a task has is ended after it: that is not done yet.
  return { outcome: renewed + ended === 0 ? 'notApplicable' : 'done', evidence };
}
