import { closeSync, openSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KernelLog } from './kernel-log.ts';

test('what the kernel log gets after a mark is read, and nothing from before it', (context) => {
  const log = new KernelLog();
  let handle: number;
  try {
    handle = openSync('/dev/kmsg', 'w');
  } catch (error) {
    if (process.env['ASSAY_REQUIRE_ALL'] === '1') throw error;
    return context.skip(`the kernel log cannot be written here: ${String(error)}`);
  }
  try {
    writeSync(handle, 'assay test: before the mark\n');
    const mark = log.mark();
    expect(mark).not.toBeNull();
    expect(log.since(mark)).not.toContain('assay test');
    writeSync(handle, 'assay test: after the mark\n');
    expect(log.since(mark)).toContain('assay test: after the mark');
    expect(log.since(mark)).not.toContain('before the mark');
    expect(log.since(log.mark())).not.toContain('assay test');
  } finally {
    closeSync(handle);
    log.close();
  }
});

test('a log that is not there says nothing', () => {
  const log = new KernelLog('/nowhere/kmsg');
  expect(log.mark()).toBeNull();
  expect(log.since(null)).toBe('');
});
