// `assay drill` as a user calls it: real processes, really broken. What it writes is read back and held against the journal it wrote.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ProjectUnderTest } from './assay-process.ts';

const place = new ProjectUnderTest({});
afterAll(() => place.close());

type Metrics = {
  verdict: string;
  checks: { id: string; state: string; detail: string }[];
  faults: { fault: string; injected: { saw: string } | null; undone: { saw: string } | null }[];
  circuits: { to: string }[];
  tasks: { total: number; lostAttempts: number };
};

// What is proved comes from /proc.
test.skipIf(process.platform !== 'linux')(
  'a drill kills a worker and the coordinator, breaks a service and a test, and holds',
  async () => {
    const args = ['--workers', '3', '--tasks', '8', '--seed', '4', '--output-dir', 'out'];
    const faults = ['--faults', 'worker-kill,coordinator-kill,task-assertion,dependency-down'];
    const { code, stderr } = await place.assay('drill', ...args, ...faults);
    const directory = join(place.path, 'out');
    expect(stderr.split('\n')[0]).toBe('seed 4: 3 workers, 8 ordinary tasks, 4 faults');
    const metrics = JSON.parse(readFileSync(join(directory, 'metrics.json'), 'utf8')) as Metrics;
    expect(metrics.checks.filter(({ state }) => state !== 'held')).toEqual([]);
    expect({ code, verdict: metrics.verdict }).toEqual({ code: 0, verdict: 'held' });
    const saw = Object.fromEntries(metrics.faults.map(({ fault, injected }) => [fault, injected?.saw]));
    expect(saw).toMatchObject({
      'worker-kill': expect.stringMatching(/then ended by SIGKILL$/),
      'coordinator-kill': expect.stringMatching(/then ended by SIGKILL$/),
      'task-assertion': 'its test met ERR_ASSERTION',
      'dependency-down': 'connect: ECONNREFUSED',
    });
    expect(metrics.faults.every(({ undone }) => undone !== null)).toBe(true);
    expect(metrics.circuits.map(({ to }) => to)).toEqual(expect.arrayContaining(['open', 'halfOpen', 'closed']));
    expect(metrics.tasks.lostAttempts).toBeGreaterThanOrEqual(1);
    const written = ['report.md', 'circuits.html', 'journal.ndjson', 'logs/coordinator.log', 'logs/worker-1.log'];
    expect(written.filter((name) => !existsSync(join(directory, name)))).toEqual([]);
    expect(readFileSync(join(directory, 'report.md'), 'utf8')).toContain('--seed 4 --workers 3 --tasks 8');
  },
  300_000,
);
