// All faults that a drill can make, by id.
import { coordinatorFaults } from './coordinator.ts';
import { dependencyFaults } from './dependency.ts';
import { deviceFaults } from './device.ts';
import type { Fault } from './fault.ts';
import { linkFaults } from './link.ts';
import { taskFaults } from './task-files.ts';
import { signalFaults } from './worker-signals.ts';

export const allFaults: readonly Fault[] = [
  ...signalFaults,
  ...linkFaults,
  ...coordinatorFaults,
  ...taskFaults,
  ...deviceFaults,
  ...dependencyFaults,
];

export const faultOf = (id: string): Fault | undefined => allFaults.find((fault) => fault.id === id);

/** Whether a circuit has to open and close again because of it. */
export const opensCircuit = (fault: Fault): boolean => fault.kind === 'fleet' && fault.effect.kind === 'circuit';
