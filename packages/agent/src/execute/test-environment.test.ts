import { expect, test } from 'vitest';
import { suiteOf } from './recorded-batch.ts';
import { secretValues, testEnvironment } from './test-environment.ts';

test('tests see the environment of the user, and nothing of ours', () => {
  const base = {
    PATH: '/ours',
    ASSAY_USER_PATH: '/users',
    ASSAY_TOKEN: 't',
    NODE_OPTIONS: '--ours',
    ASSAY_USER_NODE_OPTIONS: '--theirs',
    VITEST: 'true',
    VITEST_POOL_ID: '1',
    HOME: '/home',
    VITESTED: 'kept',
  };
  expect(testEnvironment(suiteOf('vitest', { env: { HOME: '/other', GIVEN: 'x' } }), base)).toEqual({
    PATH: '/users',
    NODE_OPTIONS: '--theirs',
    HOME: '/other',
    GIVEN: 'x',
    VITESTED: 'kept',
  });
});

test('without a launcher the environment is taken as it is', () => {
  expect(testEnvironment(suiteOf('vitest'), { PATH: '/users', NODE_OPTIONS: '--theirs' })).toEqual({
    PATH: '/users',
    NODE_OPTIONS: '--theirs',
  });
});

test('a suite cannot hand our tokens to its tests', () => {
  expect(testEnvironment(suiteOf('vitest', { env: { ASSAY_TOKEN: 'x' } }), {})).toEqual({});
});

test('secrets are values of the suite, else of the worker, and our own tokens always', () => {
  const suite = suiteOf('vitest', { env: { A: 'of the suite' }, secrets: ['A', 'B', 'C'] });
  expect(secretValues(suite, { A: 'x', B: 'of the worker', ASSAY_TOKEN: 'token' })).toEqual([
    'of the suite',
    'of the worker',
    'token',
  ]);
});
