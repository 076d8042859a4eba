// `assay drill` as a user calls it: real processes, really broken. What it writes is read back and held against the journal it wrote.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ProjectUnderTest } from './assay-process.ts';

const place = new ProjectUnderTest({});
afterAll(() => place.close());

type Metrics = {
  verdict: string;
  checks: { id: string; state: string; detail: string }[];
  faults: {
    fault: string;
    injected: { saw: string } | null;
    undone: { saw: string } | null;
    startedAtMs: number;
    endedAtMs: number;
  }[];
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

// What is proved comes from /proc.
test.skipIf(process.platform !== 'linux')(
  'a scenario goes on for as long as was asked, and real browsers that did not run make it inconclusive',
  async () => {
    writeFileSync(join(place.path, 'scenario.json'), '{"workers":2,"steps":[{"fault":"dependency-down","tasks":1}]}');
    const wish = [
      '--scenario',
      'scenario.json',
      '--duration',
      '6s',
      '--use-real-browsers',
      '--json',
      '--output-dir',
      'b',
    ];
    const { code, stdout, stderr } = await place.assay('drill', ...wish);
    expect(stderr).toContain('REAL BROWSERS WILL NOT BE BROKEN');
    expect(stderr).toContain('2 workers joined');
    const { verdict, checks } = JSON.parse(stdout) as Metrics;
    expect(checks.filter(({ state }) => state !== 'held').map(({ id }) => id)).toEqual(['browsers-drilled']);
    expect({ code, verdict }).toEqual({ code: 3, verdict: 'inconclusive' });
    const { faults } = JSON.parse(readFileSync(join(place.path, 'b/metrics.json'), 'utf8')) as Metrics;
    // One such step takes some 4 s where the machine is not busy.
    expect((faults.at(-1)?.endedAtMs ?? 0) - (faults[0]?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(6_000);
    expect(stderr).toContain('then, until 6 s have passed: dependency-down, dependency-down');
    expect(new Set(faults.map(({ fault }) => fault))).toEqual(new Set(['dependency-down']));
  },
  300_000,
);

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);

// What is proved comes from /proc.
test.skipIf(process.platform !== 'linux')(
  'Ctrl-C in the middle of a fault takes everything back: a stopped worker is woken and ended, nothing is left',
  async () => {
    const drill = place.start([
      'drill',
      '--faults',
      'worker-stop',
      '--workers',
      '2',
      '--tasks',
      '4',
      '--output-dir',
      'c',
    ]);
    const said = (): RegExpExecArray | null =>
      /coordinator serves \(process (\d+)\)[^]*joined \(processes ([\d, ]+)\)/.exec(drill.stderr());
    await expect.poll(said, { timeout: 120_000 }).not.toBeNull();
    const joined = said();
    const pids = `${joined?.[1] ?? ''}, ${joined?.[2] ?? ''}`.split(', ').map(Number);
    expect(pids.filter(isThere)).toEqual(pids);
    const isStopped = (pid: number): boolean => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ');
    await expect.poll(() => pids.some(isStopped), { timeout: 120_000, interval: 20 }).toBe(true);
    drill.child.kill('SIGINT');
    const { code, stderr } = await drill.ended;
    expect({ code, said: stderr.includes('taking everything back') }).toEqual({ code: 5, said: true });
    expect(pids.filter(isThere)).toEqual([]);
    expect(existsSync(join(place.path, 'c/report.md'))).toBe(false);
  },
  300_000,
);

test('a wish that does not add up is refused before anything starts', async () => {
  writeFileSync(join(place.path, 'bad.json'), '{"steps":[{"fault":"meteor"}]}');
  for (const [args, says] of [
    [['--faults', 'meteor'], 'meteor'],
    [['--failures', '1', '--worker-failures', '2'], 'more than 1'],
    [['--scenario', 'bad.json'], 'steps.0.fault'],
    [['--scenario', 'bad.json', '--faults', 'link'], '--scenario does not go with'],
  ] as const) {
    const { code, stderr } = await place.assay('drill', ...args);
    expect({ code, says: stderr.includes(says) ? says : stderr }).toEqual({ code: 2, says });
  }
});
