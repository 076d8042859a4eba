// Which processing accelerator a bus number is, by class. Read by the agent's probe; the core's catalogue knows family and model.
// Sources: the PCI tables of the Linux drivers ivpu, amdxdna, habanalabs, qaic, gasket and dfl-pci; JAX for Cloud TPUs; the
// udev rules of OpenVINO and Coral for USB sticks.

export type AcceleratorClass = 'npu' | 'tpu' | 'dsp' | 'fpga';

export const acceleratorsByPciId: Readonly<Record<string, AcceleratorClass>> = {
  '8086:7d1d': 'npu',
  '8086:ad1d': 'npu',
  '8086:643e': 'npu',
  '8086:b03e': 'npu',
  '8086:fd3e': 'npu',
  '1022:1502': 'npu',
  '1022:17f0': 'npu',
  '1da3:1000': 'npu',
  '1da3:1010': 'npu',
  '1da3:1020': 'npu',
  '1da3:1060': 'npu',
  '17cb:a100': 'npu',
  '1e60:2864': 'npu',
  '1ae0:0027': 'tpu',
  '1ae0:005e': 'tpu',
  '1ae0:0062': 'tpu',
  '1ae0:0063': 'tpu',
  '1ae0:006f': 'tpu',
  '1ae0:0076': 'tpu',
  '1ac1:089a': 'tpu',
  '8086:09c4': 'fpga',
  '8086:bcc0': 'fpga',
  '8086:bcce': 'fpga',
  '8086:0b2b': 'fpga',
  '8086:0b30': 'fpga',
  '8086:af00': 'fpga',
};

export const acceleratorsByUsbId: Readonly<Record<string, AcceleratorClass>> = {
  '1a6e:089a': 'tpu',
  '18d1:9302': 'tpu',
  '03e7:2485': 'npu',
  '03e7:f63b': 'npu',
};
