import type { WorkerId, WorkerView } from '@assay/protocol';
import { expect, test } from 'vitest';
import { workerDetail } from './worker-detail.ts';

const worker: WorkerView = {
  worker: 'w-abcdefghij' as WorkerId,
  name: 'lab-1',
  pool: 'lab',
  trust: 'gold',
  state: 'ready',
  sinceMs: 0,
  slots: 2,
  running: 1,
  profileDigest: 'digest',
  declared: { rack: 7 },
  agentVersion: '0.1.0',
  attempts: [],
  gates: [{ gate: 'gpuHeat', device: 'gpu:0', reason: '91 degrees C', sinceMs: 0 }],
  profileChange: { atMs: 3_600_000, changes: ['gpus[0].driver: 550.54.14, was 535.161.08'] },
  profile: {
    os: { family: 'linux', arch: 'x64' },
    cpu: { count: 4 },
    memory: { totalMiB: 8192 },
    gpus: [{ vendor: 'nvidia', model: 'Tesla T4', memoryMiB: 15_360, computeCapability: '7.5', via: 'nvidia-smi' }],
    runtimes: {},
    runners: {},
    browsers: [],
    drivers: {},
    unknown: [{ field: 'accelerators', reason: 'no probe for accelerators on win32' }],
  },
};

test('a worker is shown with who vouches for what, what holds it back, what is unknown and how it changed last', () => {
  expect(workerDetail(worker, (_format, text) => text).split('\n')).toEqual([
    'lab-1 (w-abcdefghij) ready, 1 of 2 slots busy, since 1970-01-01 00:00:00 UTC',
    '  profile digest, agent 0.1.0',
    '  enforced by the server: pool=lab trust=gold',
    '  declared by the operator: rack=7',
    '  gated gpu:0 by gpuHeat: 91 degrees C',
    '  measured by probes:',
    expect.stringMatching(/^ {4}cpu:0 {2}family x86-64 \(by family\), memory GiB\(8\), computeUnits 4/),
    expect.stringMatching(/^ {4}gpu:0 {2}vendor nvidia, family turing \(by family\), model Tesla T4, memory GiB\(15\)/),
    '    accelerators is unknown: no probe for accelerators on win32',
    '  its profile changed at 1970-01-01 01:00:00 UTC:',
    '    gpus[0].driver: 550.54.14, was 535.161.08',
  ]);
});
