// The worker process of the graphile-worker measurement, with the settings of its own performance page: four instances with 24
// jobs at once, a pool of 25 connections, a local queue of 500 and batched completion.
import { Logger, run } from 'graphile-worker';
import { createTeller } from './measure.ts';

const [url = ''] = process.argv.slice(2);
const teller = createTeller();
const warn = (level: string, message: string): void => {
  if (level === 'error' || level === 'warning') process.stderr.write(`graphile-worker: ${message}\n`);
};
await Promise.all(
  Array.from({ length: 4 }, () =>
    run({
      taskList: {
        noop: (payload) => {
          if ((payload as { target: string }).target === 'idle') teller.started();
          teller.done();
        },
      },
      noHandleSignals: true,
      logger: new Logger(() => warn),
      preset: {
        worker: {
          connectionString: url,
          concurrentJobs: 24,
          maxPoolSize: 25,
          localQueue: { size: 500 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    }),
  ),
);
teller.ready();
