import type { Profile } from '@assay/protocol';
import { expect, test } from 'vitest';
import { compareVersions, diagnose } from './doctor.ts';
import type { Finding, ProjectNeed } from './doctor.ts';

const machine: Profile = {
  os: { family: 'linux', name: 'debian', arch: 'x64' },
  cpu: { count: 2, quotaCores: 2.5, logicalCount: 8, isa: ['avx2'] },
  memory: { totalMiB: 16_000, limitMiB: 2_048 },
  gpus: [{ vendor: 'amd', pciId: '1002:73bf', via: 'drm' }],
  runtimes: {
    node: { version: '24.21.0', path: '/usr/bin/node' },
    python: { version: '3.11.2', path: '/usr/bin/python3' },
  },
  runners: {},
  browsers: [
    { name: 'chromium', version: '9.5', path: '/opt/old' },
    { name: 'chromium', version: '156.0', path: '/usr/bin/chromium' },
  ],
  drivers: {},
  unknown: [
    { field: 'runtimes.java', reason: '/usr/bin/java did not answer within 5000 ms' },
    { field: 'drivers.geckodriver', reason: 'geckodriver exited 127' },
  ],
};

const stories: [ProjectNeed, Finding][] = [
  [
    { kind: 'runner', name: 'pytest' },
    {
      kind: 'missing',
      what: 'pytest not found for python3 at /usr/bin/python3',
      remedy: '/usr/bin/python3 -m pip install pytest or apt-get install python3-pytest',
    },
  ],
  [
    { kind: 'runtime', name: 'node' },
    { kind: 'ok', what: 'node 24.21.0 at /usr/bin/node', remedy: '' },
  ],
  [
    { kind: 'runtime', name: 'node', versionMin: '26' },
    { kind: 'missing', what: 'node 24.21.0 at /usr/bin/node is older than 26', remedy: 'apt-get install nodejs' },
  ],
  [
    { kind: 'runtime', name: 'go' },
    { kind: 'missing', what: 'go is not installed', remedy: 'apt-get install golang-go' },
  ],
  [
    { kind: 'runtime', name: 'java' },
    {
      kind: 'unknown',
      what: 'java',
      remedy: 'mend what did not answer: /usr/bin/java did not answer within 5000 ms',
    },
  ],
  [
    { kind: 'projectRunner', name: 'vitest', install: 'npm install --save-dev vitest' },
    { kind: 'missing', what: 'vitest is not installed in the project', remedy: 'npm install --save-dev vitest' },
  ],
  [
    { kind: 'projectRunner', name: 'vitest', versionFound: '4.0.1', install: '' },
    { kind: 'ok', what: 'vitest 4.0.1 of the project', remedy: '' },
  ],
  [
    { kind: 'browser', name: 'chromium', versionMin: '120' },
    { kind: 'ok', what: 'chromium 156.0 at /usr/bin/chromium', remedy: '' },
  ],
  [
    { kind: 'driver', name: 'chromedriver' },
    { kind: 'missing', what: 'chromedriver is not installed', remedy: 'apt-get install chromium-driver' },
  ],
  [
    { kind: 'cpu', countMin: 4 },
    {
      kind: 'missing',
      what: '2 of 4 processors (a cgroup quota of 2.5 on 8 processors)',
      remedy: "raise the container's CPU limit",
    },
  ],
  [
    { kind: 'cpu', isa: ['avx2'] },
    { kind: 'ok', what: 'instruction set avx2', remedy: '' },
  ],
  [
    { kind: 'memory', memoryMiBMin: 4_096 },
    {
      kind: 'missing',
      what: '2048 of 4096 MiB of memory (a cgroup limit; the machine has 16000)',
      remedy: "raise the container's memory limit",
    },
  ],
  [
    { kind: 'gpu', vendor: 'amd', memoryMiBMin: 8_192 },
    {
      kind: 'unknown',
      what: 'amd GPU with 8192 MiB',
      remedy: 'mend what did not answer: 1002:73bf does not say how much memory it has',
    },
  ],
  [
    { kind: 'gpu', vendor: 'nvidia' },
    {
      kind: 'missing',
      what: 'nvidia GPU',
      remedy:
        'use a machine that has one; in a container, pass the device to it (docker run --gpus all, --device /dev/dri)',
    },
  ],
];

test.each(stories)('%j', (need, finding) => {
  expect(diagnose(machine, [need])[0]).toEqual(finding);
});

test('what could not be measured is told even when nobody asked for it, and once', () => {
  const findings = diagnose(machine, [{ kind: 'runtime', name: 'java' }]);
  expect(findings.map((finding) => finding.kind)).toEqual(['unknown', 'unknown']);
  expect(findings[1]?.what).toBe('drivers.geckodriver');
});

test('a failed GPU tool makes a needed GPU unknown, and not missing', () => {
  const { gpus: _gpus, ...rest } = machine;
  const profile = { ...rest, unknown: [{ field: 'gpus', reason: 'nvidia-smi exited 9' }] };
  expect(diagnose(profile, [{ kind: 'gpu', vendor: 'nvidia' }])).toMatchObject([
    { kind: 'unknown', what: 'nvidia GPU' },
  ]);
});

test('pytest without any python asks for python', () => {
  const profile = { ...machine, runtimes: {} };
  expect(diagnose(profile, [{ kind: 'runner', name: 'pytest' }])[0]).toMatchObject({
    kind: 'missing',
    what: 'pytest is not installed',
  });
});

test('versions compare by their numbers', () => {
  expect(compareVersions('10.0', '9.9')).toBeGreaterThan(0);
  expect(compareVersions('24', '24.0.0')).toBe(0);
  expect(compareVersions('3.9.2', '3.11')).toBeLessThan(0);
});
