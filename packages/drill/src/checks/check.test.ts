import { expect, test } from 'vitest';
import { judgedWhereAny } from './check.ts';

test('a check that found nothing to judge says nothing; it does not hold', () => {
  expect(judgedWhereAny('devices-back', 'what was quarantined works again', [], '0 devices', [])).toEqual([]);
});

test('a check that found something holds by its evidence, or is broken by its problems', () => {
  const judge = (problems: string[]) => judgedWhereAny('id', 'title', problems, '1 device', ['seq 7']);
  expect(judge([])).toMatchObject([{ state: 'held', evidence: ['seq 7'] }]);
  expect(judge(['gpu is quarantined at the end'])).toMatchObject([{ state: 'broken' }]);
});
