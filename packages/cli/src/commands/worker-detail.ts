// `assay workers WORKER`: one worker with its devices, its labels by who vouches for them, what holds it back and how it changed last.
import { deviceLines } from '@assay/coordinator/requirements';
import type { WorkerView } from '@assay/protocol';
import type { Paint } from '../render/style.ts';

const clock = (ms: number): string => `${new Date(ms).toISOString().replace('T', ' ').slice(0, 19)} UTC`;

export function workerDetail(worker: WorkerView, paint: Paint): string {
  const { name, state, running, slots, pool, profile, declared, condition, gates = [], profileChange } = worker;
  const lines = [
    `${paint('bold', name)} (${worker.worker}) ${state}, ${running} of ${slots} slots busy, since ${clock(worker.sinceMs)}`,
    `  profile ${worker.profileDigest}, agent ${worker.agentVersion}`,
    `  enforced by the server: pool=${pool}${worker.trust === undefined ? '' : ` trust=${worker.trust}`}`,
  ];
  const labels = Object.entries(declared).map(([key, value]) => `${key}=${value}`);
  if (labels.length > 0) lines.push(`  declared by the operator: ${labels.join(' ')}`);
  if (condition !== undefined && condition.kind !== 'ready')
    lines.push(`  ${paint('yellow', condition.kind)}: ${condition.reason ?? ''}`);
  for (const { gate, device, reason } of gates)
    lines.push(`  ${paint('yellow', 'gated')} ${device ?? 'worker'} by ${gate}: ${reason}`);
  if (profile !== undefined) {
    lines.push('  measured by probes:');
    for (const line of deviceLines(profile)) lines.push(`    ${line}`);
    for (const { field, reason } of profile.unknown) lines.push(`    ${field} is unknown: ${reason}`);
  }
  if (profileChange !== undefined) {
    lines.push(`  its profile changed at ${clock(profileChange.atMs)}:`);
    for (const change of profileChange.changes) lines.push(`    ${change}`);
  }
  return lines.join('\n');
}
