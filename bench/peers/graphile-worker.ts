// The worker process of the graphile-worker measurement, with the settings of its own performance page: a local queue of 500,
// batched completion, 24 jobs at once in each of four runners. Prints READY; ends with its parent.
import { run } from 'graphile-worker';

const [url = ''] = process.argv.slice(2);
const runners = await Promise.all(
  Array.from({ length: 4 }, () =>
    run({
      taskList: { noop: () => undefined },
      noHandleSignals: true,
      preset: {
        worker: {
          connectionString: url,
          concurrentJobs: 24,
          maxPoolSize: 10,
          pollInterval: 2_000,
          localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    }),
  ),
);
process.stdout.write('READY\n');
process.stdin.on('end', () => void Promise.all(runners.map((runner) => runner.stop())).then(() => process.exit(0))).resume();
