import { limit, type Case } from '@assay/protocol';
import { expect, test } from 'vitest';
import { splitCases } from './outcomes.ts';

test('reports are split by what their measurements take, too, and a full case still fits a frame', () => {
  const sample = { metric: 'm'.repeat(200), unit: 'ms', value: -1.234567890123e-300, direction: 'lower' as const };
  const heavy: Case = {
    path: ['a'],
    status: 'passed',
    durationMs: 1,
    measurements: Array.from({ length: limit('measurementsPerCase') }, () => sample),
  };
  const light: Case = { path: ['b'], status: 'passed', durationMs: 1 };
  const parts = splitCases([heavy, light, light, heavy]);
  expect(parts.map((part) => part.length)).toEqual([1, 2, 1]);
  expect(parts.flat()).toEqual([heavy, light, light, heavy]);
  for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(limit('frameBytes') / 2);
});
