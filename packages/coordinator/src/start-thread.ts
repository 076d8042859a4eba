// Starts one of the coordinator's threads with the compile cache of its process, if that has one.
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** `entry` is the module of the thread; it finds its `workerData` and its port as if it had been started itself. */
export function startThread(entry: URL, options: { workerData: unknown; name: string } & WorkerOptions): Worker {
  const cache = getCompileCacheDir();
  // Node keeps each of its versions apart below the directory that it is given.
  const argv = [cache === undefined ? '' : dirname(cache), entry.href];
  return new Worker(new URL('thread-entry.mjs', import.meta.url), { ...options, argv });
}
