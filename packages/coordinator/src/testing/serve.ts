// A coordinator process for tests and benches: `node serve.ts <state directory> [JSON of CoordinatorOptions]`.
// It prints one line `{"url": ...}` when it serves, and stops cleanly on SIGTERM.
import { startCoordinator, type CoordinatorOptions } from '../main.ts';

const [stateDir, json] = process.argv.slice(2);
const running = await startCoordinator({
  auth: 'loopbackOpen',
  ...(JSON.parse(json ?? '{}') as Partial<CoordinatorOptions>),
  stateDir: stateDir!,
});
process.stdout.write(`${JSON.stringify({ url: running.url })}\n`);
process.on('SIGTERM', () => {
  running.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
