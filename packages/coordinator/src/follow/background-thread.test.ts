import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

// Skipped elsewhere: only Linux gives a thread a priority of its own.
test.runIf(process.platform === 'linux')('only the thread that yields has a lower priority', async () => {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { readlinkSync } = require('node:fs');
    const { getPriority } = require('node:os');
    import(workerData).then(({ yieldToOthers }) => {
      yieldToOthers();
      parentPort.postMessage(getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1))));
    });`;
  const before = getPriority(process.pid);
  const worker = new Worker(script, { eval: true, workerData: new URL('background-thread.ts', import.meta.url).href });
  const priority = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  expect(priority).toBe(Math.max(before, 19));
  expect(getPriority(process.pid)).toBe(before);
});

// Skipped elsewhere: only Linux gives a thread a priority of its own.
test.runIf(process.platform === 'linux')('the loop itself must not yield', async () => {
  // A vitest worker may be a thread of its own; only a process' first thread is its loop.
  const { execFileSync } = await import('node:child_process');
  const url = new URL('background-thread.ts', import.meta.url).href;
  const code = `import(${JSON.stringify(url)}).then(({ yieldToOthers }) => { try { yieldToOthers(); console.log('yielded'); } catch (error) { console.log(error.message); } })`;
  expect(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })).toContain('must not yield');
});
