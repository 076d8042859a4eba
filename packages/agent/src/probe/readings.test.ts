// Readings on hand-written trees of the kernel's sysfs ABI, and on this machine.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readings } from '@assay/protocol';
import { expect, test } from 'vitest';
import { thisMachine } from './context.ts';
import { machineAt, writeTree } from './fixture-tree.ts';
import { parseNvidiaReadings, takeReadings } from './readings.ts';
import type { ReadingsMemory } from './readings.ts';

const laptop = `Hand-written from Documentation/ABI/testing/sysfs-class-thermal and sysfs-class-power: a laptop on its battery.
-- sys/class/thermal/thermal_zone0/temp --
47000
-- sys/class/thermal/thermal_zone1/temp --
96500
-- sys/class/thermal/thermal_zone2/temp --
0
-- sys/class/power_supply/AC/type --
Mains
-- sys/class/power_supply/BAT0/type --
Battery
-- sys/class/power_supply/BAT0/status --
Discharging
-- sys/class/power_supply/BAT0/capacity --
18
-- sys/class/power_supply/hidpp_battery_0/type --
Battery
-- sys/class/power_supply/hidpp_battery_0/status --
Discharging
-- sys/class/power_supply/hidpp_battery_0/scope --
Device
-- sys/class/power_supply/hidpp_battery_0/capacity --
3
-- sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count --
10
-- sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count --
12
`;

test('a laptop: the hottest zone, its own battery and not its mouse, and a throttling rate from the second look on', async () => {
  const root = writeTree(laptop);
  try {
    const memory: ReadingsMemory = { throttles: null };
    const first = await takeReadings(machineAt(root), [], memory, 1_000);
    expect(first).toEqual([
      { sensor: 'temperatureC', device: null, value: 96.5 },
      { sensor: 'dischargingBatteryPercent', device: null, value: 18 },
    ]);
    writeFileSync(join(root, 'sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count'), '42\n');
    writeFileSync(join(root, 'sys/class/power_supply/BAT0/status'), 'Charging\n');
    const second = await takeReadings(machineAt(root), [], memory, 31_000);
    expect(second).toEqual([
      { sensor: 'temperatureC', device: null, value: 96.5 },
      { sensor: 'throttlesPerMinute', device: null, value: 60 },
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('NVIDIA: readings go to the device of the profile that is at their bus address', () => {
  const text = [
    '00000000:AF:00.0, 1000, 4000, [N/A], Not Active',
    '00000000:3B:00.0, 71886, 143771, 91, Active',
    '00000000:99:00.0, 1, 2, 3, Active',
  ].join('\n');
  expect(parseNvidiaReadings(text, [{ busAddress: '0000:3b:00.0' }, { busAddress: '0000:af:00.0' }])).toEqual([
    { sensor: 'gpuFreeMemoryPercent', device: 'gpu:1', value: 25 },
    { sensor: 'gpuSlowdown', device: 'gpu:1', value: 0 },
    { sensor: 'gpuFreeMemoryPercent', device: 'gpu:0', value: expect.closeTo(50, 1) },
    { sensor: 'gpuTemperatureC', device: 'gpu:0', value: 91 },
    { sensor: 'gpuSlowdown', device: 'gpu:0', value: 1 },
  ]);
});

test('AMD: the kernel says how much memory is free and how hot the card is, by its bus address', async () => {
  const root = writeTree(`Hand-written from the kernel's amdgpu documentation.
-- sys/bus/pci/devices/0000:0b:00.0/mem_info_vram_total --
17163091968
-- sys/bus/pci/devices/0000:0b:00.0/mem_info_vram_used --
8581545984
-- sys/bus/pci/devices/0000:0b:00.0/hwmon/hwmon3/temp1_input --
61000
`);
  try {
    const gpus = [{ busAddress: '0000:3b:00.0' }, { busAddress: '0000:0b:00.0' }, {}];
    expect(await takeReadings(machineAt(root), gpus, { throttles: null }, 0)).toEqual([
      { sensor: 'gpuFreeMemoryPercent', device: 'gpu:1', value: 50 },
      { sensor: 'gpuTemperatureC', device: 'gpu:1', value: 61 },
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('this machine: whatever it has passes the wire schema', async () => {
  const readings = await takeReadings(thisMachine(), [], { throttles: null }, 0);
  expect(Readings.parse({ kind: 'readings', readings })).toEqual({ kind: 'readings', readings });
});
