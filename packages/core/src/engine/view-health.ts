// The soundness of workers and devices, in the shapes of the API. Reads only.
import type { ConditionView, DeviceView, RecoveryHistory, Rung, WorkerView } from '@assay/protocol';
import type { Condition } from '../lifecycle/condition.ts';
import { ladder } from '../recovery/ladder.ts';
import { wholeWorker } from './state.ts';
import type { State, WorkerRecord } from './state.ts';

type Health = Required<Pick<WorkerView, 'condition' | 'devices' | 'checks'>> & Pick<WorkerView, 'gates'>;

export function viewHealth(state: State, worker: WorkerRecord): Health {
  const { conditions, gates, checks } = worker.health;
  const gpus = state.profiles.get(worker.profileDigest)?.profile.gpus ?? [];
  const names = new Set(gpus.map((_, index) => `gpu:${index}`));
  for (const { device } of checks.values()) if (device !== null) names.add(device);
  for (const device of conditions.keys()) if (device !== wholeWorker) names.add(device);
  const devices: DeviceView[] = [...names].map((device) => ({
    device,
    condition: viewCondition(worker, conditions.get(device)),
  }));
  return {
    condition: viewCondition(worker, conditions.get(wholeWorker)),
    devices,
    ...(gates.size === 0 ? {} : { gates: [...gates.values()] }),
    checks: [...checks].map(([check, { device, ...result }]) => ({
      check,
      ...(device === null ? {} : { device }),
      ...result,
    })),
  };
}

/** A worker that is gone has taken its devices with it, whatever was known of them. */
function viewCondition(worker: WorkerRecord, condition: Condition | undefined): ConditionView {
  const { state, sinceMs } = worker;
  if (state.kind === 'lost') return { kind: 'lost', sinceMs, reason: 'it fell silent or did not come back' };
  if (state.kind === 'left') return { kind: 'lost', sinceMs, reason: 'it left' };
  if (condition === undefined) return { kind: 'ready', sinceMs };
  if (condition.kind === 'ready') return condition;
  const { kind, reason, actor } = condition;
  const view = { kind, sinceMs: condition.sinceMs, reason, actor };
  if (condition.kind === 'maintenance') return view;
  const { checkup, tried } = condition;
  const doing = checkup.kind === 'recovering' ? `recovering: ${checkup.rung}` : checkup.kind;
  return { ...view, ...(doing === 'none' ? {} : { doing }), tried: tried.map((one) => ({ ...one })) };
}

/** Why a worker is not given work although it is connected: the sentence for `assay explain`. Null where it is. */
export function whySetAside(worker: WorkerRecord): string | null {
  const condition = worker.health.conditions.get(wholeWorker);
  if (condition !== undefined && condition.kind !== 'ready') return `${condition.kind}: ${condition.reason}`;
  for (const { gate, device, reason } of worker.health.gates.values())
    if (device === null) return `gated by ${gate}: ${reason}`;
  return null;
}

/** The same for the devices that a requirement would want, where the worker would fit with them. */
export function whyDevicesSetAside(worker: WorkerRecord): string {
  const said: string[] = [];
  for (const [device, condition] of worker.health.conditions)
    if (device !== wholeWorker && condition.kind !== 'ready')
      said.push(`${device} is ${inWords[condition.kind]}: ${condition.reason}`);
  for (const { gate, device, reason } of worker.health.gates.values())
    if (device !== null) said.push(`${device} is gated by ${gate}: ${reason}`);
  return said.join('; ');
}

const inWords = { suspect: 'suspect', quarantined: 'quarantined', maintenance: 'in maintenance' } as const;

/** How often each step of recovery was judged, and how often it had helped, in the order of the ladder. */
export function viewRecovery(state: State): RecoveryHistory {
  const found = [...state.rungs.entries()].map(([key, history]) => {
    const at = key.indexOf('\n');
    return { rung: key.slice(0, at) as Rung, deviceClass: key.slice(at + 1), ...history };
  });
  const rank = (rung: Rung): number => ladder.indexOf(rung);
  return { rungs: found.sort((a, b) => rank(a.rung) - rank(b.rung) || (a.deviceClass < b.deviceClass ? -1 : 1)) };
}
