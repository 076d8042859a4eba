import { expect, test } from 'vitest';
import type { Gpu } from '@assay/protocol';
import { deviceEnvironment } from './device-environment.ts';

const gpu = (vendor: string): Gpu => ({ vendor, via: 'test' });

test('NVIDIA units are numbered among NVIDIA units, whatever else the worker has', () => {
  const gpus = [gpu('intel'), gpu('nvidia'), gpu('nvidia')];
  expect(deviceEnvironment([{ device: 'gpu:2', share: 1 }], gpus)).toEqual({
    ASSAY_DEVICES: 'gpu:2',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: '1',
  });
});

test('a task that was given another GPU sees none of the NVIDIA ones', () => {
  const given = deviceEnvironment([{ device: 'gpu:0', share: 0.5 }], [gpu('intel'), gpu('nvidia')]);
  expect(given['CUDA_VISIBLE_DEVICES']).toBe('');
});

test('who claims no GPU, or nothing, is told nothing of CUDA', () => {
  expect(deviceEnvironment([{ device: 'npu:0', share: 1 }], [gpu('nvidia')])).toEqual({ ASSAY_DEVICES: 'npu:0' });
  expect(deviceEnvironment(undefined, [gpu('nvidia')])).toEqual({});
});
