import { limit } from '@assay/protocol';
import { Case } from '@assay/protocol';
import { expect, test } from 'vitest';
import { caseOf, readLine } from './host-events.ts';
import { maskerOf } from './mask.ts';

const plain = maskerOf([]);

test.each([
  ['text', 'is not JSON'],
  ['{"e":"case"}', 'does not come from the runner host'],
  ['{"n":"wrong","e":"hostEnded"}', 'does not come from the runner host'],
  ['[1]', 'does not come from the runner host'],
  ['{"n":"right","e":"case","i":0,"c":{"path":[],"status":"passed"}}', 'wrong shape'],
  ['{"n":"right","e":"case","i":0,"c":{"path":["a"],"status":"fine"}}', 'wrong shape'],
  ['{"n":"right","e":"fileStarted"}', 'wrong shape'],
  ['{"n":"right","e":"unheard"}', 'wrong shape'],
])('%s is corrupt: %s', (line, reason) => {
  const read = readLine(line, 'right', plain);
  expect(read).toMatchObject({ kind: 'corrupt' });
  expect(read.kind === 'corrupt' ? read.reason : '').toContain(reason);
});

test('a case is masked, and cut to what the protocol takes with the number left out', () => {
  const found = caseOf(
    {
      path: ['secret group', 'x'.repeat(5_000)],
      status: 'failed',
      durationMs: -3,
      failure: { message: `secret ${'m'.repeat(50_000)}`, messageCut: 10, stack: 's'.repeat(90_000), stackCut: 0 },
      line: 12,
      runnerRetries: 2,
    },
    maskerOf(['secret']),
  );
  expect(Case.parse(found)).toEqual(found);
  expect(found?.path[0]).toBe('*** group');
  expect(found?.path[1]?.length).toBeLessThanOrEqual(limit('nameChars'));
  const over = '*** '.length + 50_000 - limit('messageChars') + 10;
  expect(found?.failure?.message.endsWith(`... [assay: ${over} characters left out]`)).toBe(true);
  expect(found).toMatchObject({ durationMs: 0, line: 12, runnerRetries: 2 });
});

test('measurements are masked and kept; damaged ones make the case no case', () => {
  const sample = {
    metric: 'secret time',
    unit: 'ms',
    value: 2.5,
    direction: 'lower',
    covariates: { host: 'secret', load: 1 },
  };
  const raw = { path: ['a'], status: 'passed', durationMs: 1, measurements: [sample] };
  const found = caseOf(raw, maskerOf(['secret']));
  expect(Case.parse(found)).toEqual(found);
  expect(found?.measurements).toEqual([{ ...sample, metric: '*** time', covariates: { host: '***', load: 1 } }]);
  for (const bad of [{ value: null }, { value: Infinity }, { direction: 'up' }, { metric: '' }])
    expect(caseOf({ ...raw, measurements: [{ ...sample, ...bad }] }, plain)).toBeNull();
  const tooMany = Array.from({ length: limit('measurementsPerCase') + 1 }, () => sample);
  expect(caseOf({ ...raw, measurements: tooMany }, plain)).toBeNull();
  expect(caseOf({ ...raw, measurements: [] }, plain)?.measurements).toBeUndefined();
});
