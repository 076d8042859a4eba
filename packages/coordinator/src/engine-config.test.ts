import { circuitsDefaults, engineDefaults } from '@assay/core';
import { expect, test } from 'vitest';
import { engineConfigOf } from './engine-config.ts';
import { CoordinatorSettings } from './settings.ts';

test('what is not set has its default', () => {
  expect(engineConfigOf()).toEqual(engineDefaults);
  expect(engineConfigOf({ silentAfterMs: 9 }).silentAfterMs).toBe(9);
});

test('a kind of circuit takes what is set of it, null included, and the others stay', () => {
  const { circuits } = engineConfigOf({}, { worker: { consecutiveFailures: null, openMs: 3_600_000 } });
  expect(circuits.breakers.worker).toEqual({
    ...circuitsDefaults.breakers.worker,
    consecutiveFailures: null,
    openMs: 3_600_000,
    openMaxMs: 3_600_000,
  });
  expect(circuits.breakers.device).toEqual(circuitsDefaults.breakers.device);
});

test('circuits that could never work are refused before anything starts', () => {
  expect(() => engineConfigOf({}, { task: { openMs: 5_000, openMaxMs: 1_000 } })).toThrow('circuits.task: openMs');
  expect(() => engineConfigOf({}, { worker: { volumeMin: 500 } })).toThrow('circuits.worker: volumeMin 500');
});

test('a settings file names each dependency once, with one way to look at it', () => {
  const settings = (...dependencies: object[]): boolean => CoordinatorSettings.safeParse({ dependencies }).success;
  expect(settings({ name: 'db', url: 'tcp://127.0.0.1:5432' }, { name: 'api', command: ['true'] })).toBe(true);
  expect(settings({ name: 'db' })).toBe(false);
  expect(settings({ name: 'db', url: 'tcp://127.0.0.1:5432', command: ['true'] })).toBe(false);
  expect(settings({ name: 'db', url: 'ftp://127.0.0.1' })).toBe(false);
  expect(settings({ name: 'db', command: ['true'] }, { name: 'db', command: ['false'] })).toBe(false);
  expect(CoordinatorSettings.safeParse({ circuits: { galaxy: {} } }).success).toBe(false);
});
