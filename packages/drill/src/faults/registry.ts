// All faults that are done to the fleet, by id. Those of the family `task` are files of the drill's project: faults/task-files.ts.
import { coordinatorFaults } from './coordinator.ts';
import { dependencyFaults } from './dependency.ts';
import { deviceFaults } from './device.ts';
import type { Fault } from './fault.ts';
import { linkFaults } from './link.ts';
import { signalFaults } from './worker-signals.ts';

export const fleetFaults: readonly Fault[] = [
  ...signalFaults,
  ...linkFaults,
  ...coordinatorFaults,
  ...deviceFaults,
  ...dependencyFaults,
];

export function faultOf(id: string): Fault {
  const found = fleetFaults.find((fault) => fault.id === id);
  if (found === undefined) throw new Error(`no fault is called ${id}`);
  return found;
}
