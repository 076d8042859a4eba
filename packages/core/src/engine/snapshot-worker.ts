// A worker as a part of the snapshot and back: what is derived is left out and built again.
import { present } from '../kernel/assert.ts';
import type { Condition } from '../lifecycle/condition.ts';
import { joinClass, leaveClass } from '../scheduling/classes.ts';
import { joinClasses, refreshCheckups, setDeadline } from './evolve-worker.ts';
import type { CheckRecord, ShutGateRecord, State, WorkerHealth, WorkerRecord } from './state.ts';

/** Absent where nothing is known: conditions and checks by name, and the requests so far. */
type HealthRow = {
  conditions: [string, Condition][];
  gates?: [string, ShutGateRecord][];
  checks: [string, CheckRecord][];
  requests: number;
  asked?: [string, { request: number; deadlineMs: number }][];
};
export type WorkerRow = Omit<
  WorkerRecord,
  'assignments' | 'class' | 'whole' | 'isHalted' | 'isSetAside' | 'heapSlot' | 'deadline' | 'health'
> & { health?: HealthRow };

export function workerRow({
  assignments: _assignments,
  class: _class,
  whole: _whole,
  isHalted: _isHalted,
  isSetAside: _isSetAside,
  heapSlot: _slot,
  deadline: _deadline,
  health,
  ...worker
}: WorkerRecord): WorkerRow {
  return { ...worker, ...healthRow(health) };
}

function healthRow({ conditions, gates, checks, requests, asked }: WorkerHealth): { health?: HealthRow } {
  if (conditions.size + gates.size + checks.size + requests === 0) return {};
  const shut = gates.size === 0 ? {} : { gates: [...gates] };
  const open = asked.size === 0 ? {} : { asked: [...asked] };
  return { health: { conditions: [...conditions], ...shut, checks: [...checks], requests, ...open } };
}

export function restoreWorker(state: State, row: WorkerRow): void {
  const shared = present(state.profiles.get(row.profileDigest), 'profile');
  shared.workers += 1;
  const { health, ...rest } = row;
  const worker: WorkerRecord = {
    ...rest,
    assignments: new Map(),
    health: {
      conditions: new Map(health?.conditions),
      gates: new Map(health?.gates),
      checks: new Map(health?.checks),
      requests: health?.requests ?? 0,
      asked: new Map(health?.asked),
      deadlines: new Map(),
    },
    isHalted: false,
    isSetAside: false,
    whole: null,
    class: joinClass(state.index, row.pool, row.profileDigest, shared.profile, row.declared, row.trust),
    heapSlot: -1,
    deadline: { worker: row.worker, atMs: 0, heapSlot: -1 },
  };
  state.workers.set(worker.worker, worker);
  if (worker.health.conditions.size + worker.health.gates.size > 0) {
    const plain = worker.class;
    joinClasses(state, worker);
    leaveClass(state.index, plain);
    refreshCheckups(state, worker);
  }
  if (worker.state.kind === 'disconnected') setDeadline(state, worker, worker.state.graceUntilMs);
  if (worker.state.kind === 'lost' || worker.state.kind === 'left') setDeadline(state, worker, worker.state.forgetAtMs);
}
