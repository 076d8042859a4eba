import { expect, test } from 'vitest';
import { profileOf } from '../testing/lab.ts';
import { deviceLines } from './device-lines.ts';

test('a device is one line, and what was not measured says which level of the catalogue it is from', () => {
  const gpu = { vendor: 'nvidia', model: 'Tesla T4', memoryMiB: 15_360, computeCapability: '7.5', via: 'nvidia-smi' };
  const profile = profileOf({ gpus: [gpu], apis: { cuda: { version: '12.4' } }, memory: { totalMiB: 8192 } });
  expect(deviceLines(profile)).toEqual([
    'cpu:0  family x86-64 (by family), memory GiB(8), computeUnits 4, isaGroups avx2, precisions fp64 fp32 int8, software false (by class)',
    'gpu:0  vendor nvidia, family turing (by family), model Tesla T4, memory GiB(15), computeUnits 40 (by model), computeCapability 7.5, apis cuda 12.4, precisions fp64 fp32 fp16 int8 int4 (by family), software false',
  ]);
});
