import { expect, test } from 'vitest';
import { asJson, Lab, only, profileOf } from '../testing/lab.ts';
import { diffProfiles, sayChange, sayChanges } from './profile-diff.ts';

const before = profileOf({
  gpus: [{ vendor: 'nvidia', model: 'T4', driver: '535.161.08', memoryMiB: 15_360, via: 'nvidia-smi' }],
  browsers: [{ name: 'chromium', version: '155.0.1', major: 155 }],
});

test('a profile against itself, built apart, has no changes', () => {
  expect(diffProfiles(before, asJson(before))).toEqual([]);
});

test('a new driver, a new browser, a lost instruction set and a lost runtime are each one line', () => {
  const { node: _node, ...runtimes } = before.runtimes;
  const after = profileOf({
    ...before,
    cpu: { ...before.cpu, isa: ['avx', 'sse3', 'vaes'] },
    gpus: [{ ...before.gpus![0]!, driver: '550.54.14' }],
    browsers: [
      { name: 'chromium', version: '156.0.2', major: 156 },
      { name: 'firefox', version: '153.0', major: 153 },
    ],
    runtimes: { ...runtimes, go: { version: '1.26' } },
  });
  expect(diffProfiles(before, after).map(sayChange)).toEqual([
    'browsers.count: 2, was 1',
    'browsers[chromium 0].major: 156, was 155',
    'browsers[chromium 0].version: 156.0.2, was 155.0.1',
    'browsers[firefox 0].major: 153, was not there',
    'browsers[firefox 0].name: firefox, was not there',
    'browsers[firefox 0].version: 153.0, was not there',
    'cpu.isa: gained vaes; lost avx2',
    'gpus[0].driver: 550.54.14, was 535.161.08',
    'runtimes.go.version: 1.26, was not there',
    'runtimes.node.major: gone, was 24',
    'runtimes.node.version: gone, was 24.0.0',
  ]);
});

test('what an event carries is bounded, and says how much it leaves out', () => {
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`r${index}`, { version: 'x'.repeat(200) }]),
  );
  const lines = sayChanges(before, profileOf({ ...before, runtimes: many }));
  expect(lines).toHaveLength(40);
  expect(lines.at(-1)).toBe('and 23 more');
});

test('a changed profile is an event with its differences, also where the worker was away meanwhile', () => {
  const lab = new Lab();
  lab.join('w', { profile: before, profileDigest: 'one' });
  const [first] = only(
    lab.report('w', {
      kind: 'profileChanged',
      profile: profileOf({ ...before, memory: { totalMiB: 4096 } }),
      profileDigest: 'two',
    }),
    'profileChanged',
  );
  expect(first?.changes).toEqual(['memory.totalMiB: 4096, was 8192']);
  lab.cut('w');
  const again = lab.join('w', { profile: before, profileDigest: 'one' });
  expect(only(again, 'workerJoined')[0]?.profileChanges).toEqual(['memory.totalMiB: 8192, was 4096']);
  lab.cut('w');
  expect(only(lab.join('w'), 'workerJoined')[0]?.profileChanges).toBeUndefined();
});
