// The coordinator of the dispatch benchmark: the real one, with every default (journal synchronised at each commit, results
// store on, snapshots on), in a process of its own. Says its URL, and on request what it has used so far.
import { startCoordinator, silentLog } from '@assay/coordinator';

export type CoordinatorMessage =
  | { kind: 'ready'; url: string }
  | { kind: 'usage'; cpuMs: number; mainThreadCpuMs: number; residentBytes: number; heapBytes: number };
export type CoordinatorOrder = { kind: 'tellUsage'; collectGarbage: boolean };

const [stateDir = '', ownerSecret = ''] = process.argv.slice(2);
const tell = (message: CoordinatorMessage): void => void process.send?.(message);
const running = await startCoordinator({ stateDir, ownerSecret, log: silentLog });

process.on('message', (order: CoordinatorOrder) => {
  // Twice: what weak references and finalisers hold goes with the second.
  if (order.collectGarbage) for (let time = 0; time < 2; time++) globalThis.gc?.();
  const all = process.cpuUsage();
  const main = process.threadCpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  tell({
    kind: 'usage',
    cpuMs: (all.user + all.system) / 1_000,
    mainThreadCpuMs: (main.user + main.system) / 1_000,
    residentBytes: rss,
    heapBytes: heapUsed,
  });
});
process.once('disconnect', () => void running.stop().then(() => process.exit(0)));
tell({ kind: 'ready', url: running.url });
