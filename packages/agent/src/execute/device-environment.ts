// How a task learns which of the worker's devices are its own: ASSAY_DEVICES has their names (`gpu:0,npu:0`), and CUDA programs
// see only the NVIDIA GPUs among them, by CUDA_VISIBLE_DEVICES in the order in which the driver counts (PCI bus order).
// A task that holds a share of a device sees the whole device: the share is an agreement, which nothing here enforces.
import type { Assign, Gpu } from '@assay/protocol';

/** The variables for an assignment that holds devices; none for one that holds none. */
export function deviceEnvironment(devices: Assign['devices'], gpus: readonly Gpu[]): Record<string, string> {
  if (devices === undefined || devices.length === 0) return {};
  const names = devices.map(({ device }) => device);
  const variables: Record<string, string> = { ASSAY_DEVICES: names.join(',') };
  const nvidia = gpus.map((gpu, index) => ({ gpu, index })).filter(({ gpu }) => gpu.vendor === 'nvidia');
  const numbers = names.flatMap((name) => {
    const at = nvidia.findIndex(({ index }) => name === `gpu:${index}`);
    return at < 0 ? [] : [at];
  });
  // Claimed GPUs of other makers, or none: CUDA sees none of the NVIDIA ones, which may be somebody else's.
  if (nvidia.length > 0 && names.some((name) => name.startsWith('gpu:'))) {
    variables['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID';
    variables['CUDA_VISIBLE_DEVICES'] = numbers.join(',');
  }
  return variables;
}

/** The suite of an assignment, with what tells its tasks which devices are theirs. */
export function withDevices({ suite, devices }: Assign, gpus: readonly Gpu[]): Assign['suite'] {
  const given = deviceEnvironment(devices, gpus);
  return Object.keys(given).length === 0 ? suite : { ...suite, env: { ...suite.env, ...given } };
}
