// Limits that only the real thing can show: memory, by a control group made for the test, and too many cases.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AttemptOutcome, limit } from '@assay/protocol';
import { expect, test } from 'vitest';
import { KernelLog } from './kernel-log.ts';
import { endOf, recordBatch } from './recorded-batch.ts';

type Group = { readonly directory: string; readonly procs: string };

/** A memory group of 300 MiB without swap, or why none can be made here. */
function memoryGroup(): Group | string {
  const isV1 = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes');
  const parent = isV1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
  const directory = path.join(parent, `assay-test-${process.pid}`);
  try {
    mkdirSync(directory);
    const [limitFile, swapFile] = isV1
      ? ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']
      : ['memory.max', 'memory.swap.max'];
    writeFileSync(path.join(directory, limitFile), String(300 * 1024 * 1024));
    if (existsSync(path.join(directory, swapFile)))
      writeFileSync(path.join(directory, swapFile), isV1 ? String(300 * 1024 * 1024) : '0');
    return { directory, procs: path.join(directory, 'cgroup.procs') };
  } catch (error) {
    if (existsSync(directory)) rmdirSync(directory);
    return String(error);
  }
}

const hog = `exec node -e 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1))'`;
const hogUnderShell = `node -e 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1))'`;

async function outcomeIn(group: Group, script: string): Promise<AttemptOutcome> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(import.meta.dirname, 'oom-batch.ts'), group.procs, script],
    { timeout: 60_000 },
  );
  return AttemptOutcome.parse(JSON.parse(stdout));
}

test('a command that the kernel kills for memory is OUT_OF_MEMORY, by the counter and by the kernel log', async (context) => {
  const group = memoryGroup();
  if (typeof group === 'string') {
    if (process.env['ASSAY_REQUIRE_ALL'] === '1') throw new Error(`no memory control group can be made: ${group}`);
    return context.skip(`no memory control group can be made here: ${group}`);
  }
  try {
    const direct = await outcomeIn(group, hog);
    expect(direct).toMatchObject({
      verdict: 'errored',
      exit: { signal: 'SIGKILL' },
      failure: { class: 'infrastructure', code: 'OUT_OF_MEMORY', rule: { source: 'agent' } },
    });
    const log = new KernelLog();
    const isLogRead = log.mark() !== null;
    log.close();
    // Killed under a shell that lives on: only its exit code and the kernel's log can tell.
    const under = await outcomeIn(group, `${hogUnderShell}; exit $?`);
    expect(under.exit).toEqual({ code: 137, signal: null });
    expect(under.failure).toMatchObject(
      isLogRead
        ? { class: 'infrastructure', code: 'OUT_OF_MEMORY', rule: { id: 'memory/kernel-killed', source: 'kernel' } }
        : { class: 'unknown', code: 'KILLED', rule: { id: 'process/killed', source: 'exit' } },
    );
  } finally {
    rmdirSync(group.directory);
  }
}, 120_000);

test('a report of more cases than the limit is TOO_MANY_CASES, and none above the limit is kept', async () => {
  const projectDir = await mkdtemp(path.join(tmpdir(), 'assay-many-'));
  try {
    const count = limit('casesPerAttempt') + 10;
    const write = `const fs = require('node:fs'); fs.writeFileSync('report.xml', '<testsuite name="s">' + '<testcase name="t" time="0"/>'.repeat(${count}) + '</testsuite>')`;
    await writeFile(path.join(projectDir, 'write.cjs'), write);
    const { byTarget } = await recordBatch('command', [''], {
      projectDir,
      suite: { arguments: [process.execPath, 'write.cjs'], junit: 'report.xml' },
    });
    const found = byTarget[''];
    expect(found && endOf(found)).toBe('errored test TOO_MANY_CASES');
    expect(found?.cases).toHaveLength(limit('casesPerAttempt'));
    expect(found?.outcome?.failure?.rule).toMatchObject({ id: 'assay/too-many-cases', source: 'agent' });
  } finally {
    await rm(projectDir, { recursive: true, force: true });
  }
}, 120_000);
