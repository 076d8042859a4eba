// The execution of batches, loaded with the first batch: runners, reports and their readers are several MiB that an idle
// agent does without.
import type { Batch, BatchInput, BatchSink } from './execute/execute-batch.ts';

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
