// Gates: what a machine's moving attributes (free GPU memory, heat, throttling, battery) mean for new work. Pure.
//
// A gate shuts at one value and opens again at another, so that a reading that hovers does not flip it at each turn
// (hysteresis). What always holds: between the two values a gate stays as it is; a gate whose sensor is measured no more opens; only
// flips come out, so that readings themselves need not be journalled; the same state and readings give the same flips.
import type { Reading, SensorName } from '@assay/protocol';
import { compareText } from '../kernel/compare.ts';

export type GateRule = {
  readonly gate: string;
  readonly sensor: SensorName;
  /** Whether a value beyond `shutAt` is above or below it. */
  readonly shutsWhen: 'above' | 'below';
  readonly shutAt: number;
  /** On the good side of `shutAt`. */
  readonly openAt: number;
  readonly unit: string;
  readonly why: string;
};

export const gateRules: readonly GateRule[] = [
  {
    gate: 'gpuMemory',
    sensor: 'gpuFreeMemoryPercent',
    shutsWhen: 'below',
    shutAt: 5,
    openAt: 15,
    unit: '% of GPU memory free',
    why: 'a test that finds the memory full fails for a reason that is not its own',
  },
  {
    gate: 'gpuHeat',
    sensor: 'gpuTemperatureC',
    shutsWhen: 'above',
    shutAt: 90,
    openAt: 82,
    unit: 'degrees C',
    why: 'GPUs slow down and make errors near their limit',
  },
  {
    gate: 'gpuSlowdown',
    sensor: 'gpuSlowdown',
    shutsWhen: 'above',
    shutAt: 1,
    openAt: 0,
    unit: '(1: slowed down by hardware)',
    why: 'a measured time on slowed clocks says nothing',
  },
  {
    gate: 'heat',
    sensor: 'temperatureC',
    shutsWhen: 'above',
    shutAt: 95,
    openAt: 85,
    unit: 'degrees C',
    why: 'processors are about to be slowed down',
  },
  {
    gate: 'throttling',
    sensor: 'throttlesPerMinute',
    shutsWhen: 'above',
    shutAt: 60,
    openAt: 5,
    unit: 'thermal throttles a minute',
    why: 'processors are being slowed down: times are wrong and time-outs near',
  },
  {
    gate: 'battery',
    sensor: 'dischargingBatteryPercent',
    shutsWhen: 'below',
    shutAt: 20,
    openAt: 30,
    unit: '% of battery left',
    why: 'work in hand would be lost with the machine',
  },
];

/** A gate that is shut. */
export type ShutGate = { readonly gate: string; readonly device: string | null; readonly reason: string };
export type Flip = ShutGate & { readonly isShut: boolean };

/** The gates that flip: `shut` are those that are shut now, `readings` all that is measured now. By device, then by gate. */
export function flipsOf(
  shut: readonly Pick<ShutGate, 'gate' | 'device'>[],
  readings: readonly Reading[],
  rules: readonly GateRule[] = gateRules,
): Flip[] {
  const isShut = new Set(shut.map(keyOf));
  const flips = new Map<string, Flip>();
  const measured = new Set<string>();
  for (const { sensor, device, value } of readings) {
    for (const rule of rules) {
      if (rule.sensor !== sensor) continue;
      const key = keyOf({ gate: rule.gate, device });
      measured.add(key);
      const next = afterReading(rule, isShut.has(key), value);
      if (next !== isShut.has(key)) flips.set(key, { gate: rule.gate, device, isShut: next, reason: say(rule, value) });
    }
  }
  for (const gate of shut) {
    if (!measured.has(keyOf(gate)))
      flips.set(keyOf(gate), { ...pick(gate), isShut: false, reason: `${gate.gate} is measured no more` });
  }
  return [...flips.entries()].sort(([a], [b]) => compareText(a, b)).map(([, flip]) => flip);
}

/** Whether the gate is shut after a reading. */
export function afterReading(rule: GateRule, isShut: boolean, value: number): boolean {
  const sign = rule.shutsWhen === 'above' ? 1 : -1;
  return isShut ? sign * value > sign * rule.openAt : sign * value >= sign * rule.shutAt;
}

/** Names a gate of a worker. */
export function keyOf({ gate, device }: Pick<ShutGate, 'gate' | 'device'>): string {
  return `${device ?? ''}\n${gate}`;
}

function pick({ gate, device }: Pick<ShutGate, 'gate' | 'device'>): Pick<ShutGate, 'gate' | 'device'> {
  return { gate, device };
}

function say({ unit, shutsWhen, shutAt, openAt }: GateRule, value: number): string {
  const shown = Math.round(value * 10) / 10;
  return `${shown} ${unit} (shut at ${shutAt} and ${shutsWhen}, open again at ${openAt})`;
}
