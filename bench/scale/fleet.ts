// A large fleet's inputs, made by hand: hellos of many machines of some profiles, submissions, and the reports that end what was
// assigned. Nothing here decides anything.
import type { Event, Input } from '../../packages/core/src/index.ts';
import { outcomeOf, profileOf, specOf, suiteOf } from '../../packages/core/src/testing/specs.ts';
import type {
  AttemptRef,
  Profile,
  Report,
  RunId,
  SessionId,
  Suite,
  Task,
  TaskId,
  WorkerId,
} from '../../packages/protocol/src/index.ts';

export const profiles = 40;

function profile(number: number): Profile {
  const gpu = { vendor: 'nvidia', model: `GPU ${number}`, memoryMiB: 1024 * number, via: 'nvidia-smi' };
  const tool = (name: string) => [name, { version: '1.2.3', major: 1, minor: 2, path: `/usr/bin/${name}` }];
  return profileOf({
    os: { family: 'linux', arch: number % 4 === 0 ? 'arm64' : 'x64', name: 'debian', version: '12', kernel: '6.1.0' },
    cpu: {
      count: 4 + (number % 8),
      model: `Model ${number}`,
      isa: Array.from({ length: 60 }, (_, index) => `flag${index + number}`),
    },
    memory: { totalMiB: 1024 * (1 + number), limitMiB: 1024 * (1 + number) },
    gpus: number % 3 === 0 ? [gpu] : [],
    runtimes: Object.fromEntries(['node', 'python', 'java', 'go'].map(tool)) as Profile['runtimes'],
    browsers: [{ name: 'chromium', version: '156', major: 156 }],
  });
}

export function hello(number: number, slots = 1): Extract<Input, { kind: 'workerConnected' }> {
  const kind = number % profiles;
  return {
    kind: 'workerConnected',
    worker: `w-${String(number).padStart(6, '0')}` as WorkerId,
    session: `s-${number}` as SessionId,
    token: 'token',
    incarnation: `i-${number}`,
    name: `machine ${number}`,
    pool: 'default',
    slots,
    agentVersion: '0.1.0',
    // A fresh object for each, as it comes off the wire: sharing them is the engine's task.
    profile: structuredClone(profile(kind)),
    profileDigest: `digest-${kind}`.padEnd(64, '0'),
    declared: { lab: 'north' },
    held: [],
    nextReportSeq: 0,
    isDraining: false,
  };
}

export function submission(
  run: string,
  suites: Suite[],
  tasks: Task[],
  more: { sealed?: boolean; submitter?: string } = {},
): Input {
  const { sealed = true, submitter = 'bench' } = more;
  return {
    kind: 'submitRun',
    run: run as RunId,
    submitter,
    idempotencyKey: `key-${run}`,
    contentDigest: 'digest',
    spec: specOf({ name: run, project: 'bench', suites }),
    tasks,
    sealed,
  };
}

/** Distinct requirements that each fit some of the profiles. */
export function requirement(number: number): string {
  return `memory.totalMiB >= ${1024 * (number % profiles)} && cpu.count >= ${1 + (number % 5)} && "flag${number}" != ""`;
}

/** A suite with nothing but a requirement, or with everything that placement has to look at. */
export function suiteAt(number: number, batching: 'single' | 'shared', isFull: boolean): Suite {
  const plain = suiteOf({ name: `suite ${number}`, requires: requirement(number), batching });
  if (!isFull) return plain;
  return {
    ...plain,
    alternatives: [{ requires: 'cpu.count >= 1', afterMs: 60_000 }],
    ...(number % 4 === 0 ? { claims: [{ device: 'd.class == "cpu"', share: 0.5 }] } : {}),
    ...(number % 3 === 0 ? { concurrency: [{ key: `database ${number % 12}`, max: 2_000 }] } : {}),
    ...(number % 5 === 0 ? { uses: ['database'] } : {}),
  };
}

/** Reports that end all that was assigned, as one frame a worker. `fails` says which attempts fail through their worker. */
export function finishAll(
  events: readonly Event[],
  seqs: Map<string, number>,
  costMs: (worker: string) => number,
  fails: (worker: string) => boolean = () => false,
): Input[] {
  const byWorker = new Map<string, { session: SessionId; reports: Report[] }>();
  for (const event of events) {
    if (event.kind !== 'tasksAssigned') continue;
    const { worker } = event;
    const entry = byWorker.get(worker) ?? { session: event.session, reports: [] };
    byWorker.set(worker, entry);
    for (const { index, attempt } of event.tasks) {
      const seq = (seqs.get(worker) ?? 0) + 1;
      seqs.set(worker, seq);
      const ref: AttemptRef = { task: `${event.run}.${index}` as TaskId, attempt };
      const outcome = fails(worker)
        ? outcomeOf({
            verdict: 'errored',
            counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
            costMs: costMs(worker),
            failure: { class: 'infrastructure', code: 'RUNNER_FAILED_TO_START', message: 'it does not start' },
          })
        : outcomeOf({ costMs: costMs(worker) });
      entry.reports.push({ kind: 'finished', seq, ...ref, outcome });
    }
  }
  return [...byWorker].map(([worker, { session, reports }]) => ({
    kind: 'workerReported',
    worker: worker as WorkerId,
    session,
    reports,
  }));
}
