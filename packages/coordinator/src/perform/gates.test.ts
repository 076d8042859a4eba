// Readings come in over a link; only a gate that flips reaches the journal.
import type { Reading } from '@assay/protocol';
import { expect, test } from 'vitest';
import { Rig } from '../testing/rig.ts';

const heat = (value: number): Reading[] => [{ sensor: 'temperatureC', device: null, value }];

test('a hundred readings are two entries: the gate that shut, and the gate that opened; between them there is no new work', () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  const before = rig.durableSeq;
  const say = (value: number): void => void rig.says(link, { kind: 'readings', readings: heat(value) });
  for (let at = 0; at < 30; at += 1) say(60 + at);
  expect(rig.durableSeq).toBe(before);
  // It hovers where it shut: no turn of it flips the gate again.
  for (let at = 0; at < 60; at += 1) say(at % 2 === 0 ? 96 : 94);
  expect(rig.durableSeq).toBe(before + 1);
  rig.submit(1);
  expect(link.kinds()).not.toContain('assign');
  for (let at = 0; at < 10; at += 1) say(80);
  expect(link.kinds()).toContain('assign');
  const flips = rig.fed.flatMap((item) => (item.kind === 'gateFlipped' ? [[item.gate, item.isShut]] : []));
  expect(flips).toEqual([
    ['heat', true],
    ['heat', false],
  ]);
});

test('a sensor that is measured no more opens its gate', () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  rig.says(link, { kind: 'readings', readings: heat(99) });
  rig.submit(1);
  expect(link.kinds()).not.toContain('assign');
  rig.says(link, { kind: 'readings', readings: [] });
  expect(link.kinds()).toContain('assign');
});
