// What of a machine moves by itself: readings that a worker sends now and then. They are not journalled and are no part of a
// profile; a gate turns them into "takes no new work", with hysteresis (core/hardware/gate.ts).
import { z } from 'zod';

/** Sensors by name; the unit is in it. */
export const sensorNames = [
  'gpuFreeMemoryPercent',
  'gpuTemperatureC',
  /** 1 while the GPU's hardware slows its clocks for heat or power, else 0. */
  'gpuSlowdown',
  /** Of the hottest thermal zone. */
  'temperatureC',
  /** How often processors were slowed down for heat, over the last interval. */
  'throttlesPerMinute',
  /** Only while the machine runs on its battery. */
  'dischargingBatteryPercent',
] as const;
export const SensorName = z.enum(sensorNames);
export type SensorName = z.infer<typeof SensorName>;

/** `device` is null for the worker as a whole, else named by class and unit: `gpu:0`. */
export const Reading = z.strictObject({
  sensor: SensorName,
  device: z.string().min(1).max(80).nullable(),
  value: z.number().min(-1_000).max(1_000_000),
});
export type Reading = z.infer<typeof Reading>;

/** All that the worker measures now: a sensor that is missing is measured no more. */
export const Readings = z.strictObject({ kind: z.literal('readings'), readings: z.array(Reading).max(512) });
export type Readings = z.infer<typeof Readings>;
