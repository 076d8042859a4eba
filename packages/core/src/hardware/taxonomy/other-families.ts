// Families of everything that is no GPU: processors, neural and tensor processors, signal processors, gate arrays.
// PCI ids of NPUs are those of the Linux drivers (ivpu, amdxdna, habanalabs, qaic), of TPUs those by which JAX finds them.
import type { FamilyEntry, ModelEntry } from './catalogue.ts';

const ivpu = 'PCI ids of the Linux ivpu driver (drivers/accel/ivpu); precisions: OpenVINO, NPU device';
const xdna = 'PCI ids of the Linux amdxdna driver (drivers/accel/amdxdna); precisions: AMD Ryzen AI documentation';
const jax = 'PCI ids in JAX (jax/_src/hardware_utils.py); memory: Google Cloud TPU documentation';
const coralDocs = 'Coral documentation: Edge TPU computes int8';

function only(model: string, id: string, source: string, attributes: Record<string, unknown> = {}): ModelEntry {
  return { model, match: { ids: [id] }, attributes, source };
}

const npus: readonly FamilyEntry[] = [
  {
    class: 'npu',
    vendor: 'intel',
    family: 'npu-37xx',
    match: { ids: ['8086:7d1d', '8086:ad1d'] },
    attributes: { precisions: ['fp16', 'int8'] },
    source: ivpu,
    models: [only('meteor-lake-npu', '8086:7d1d', ivpu), only('arrow-lake-npu', '8086:ad1d', ivpu)],
  },
  {
    class: 'npu',
    vendor: 'intel',
    family: 'npu-40xx',
    match: { ids: ['8086:643e'] },
    attributes: { precisions: ['fp16', 'int8'] },
    source: ivpu,
    models: [only('lunar-lake-npu', '8086:643e', ivpu)],
  },
  {
    class: 'npu',
    vendor: 'intel',
    family: 'npu-50xx',
    match: { ids: ['8086:b03e', '8086:fd3e'] },
    attributes: { precisions: ['fp16', 'int8'] },
    source: ivpu,
    models: [only('panther-lake-npu', '8086:b03e', ivpu), only('wildcat-lake-npu', '8086:fd3e', ivpu)],
  },
  {
    class: 'npu',
    vendor: 'amd',
    family: 'xdna',
    match: { ids: ['1022:1502'] },
    attributes: { precisions: ['bf16', 'int8'] },
    source: xdna,
    models: [only('phoenix-npu', '1022:1502', xdna)],
  },
  {
    class: 'npu',
    vendor: 'amd',
    family: 'xdna2',
    match: { ids: ['1022:17f0'] },
    attributes: { precisions: ['bf16', 'int8'] },
    source: xdna,
    models: [
      { model: 'strix-npu', match: { pciRevision: /^10$/ }, attributes: {}, source: xdna },
      { model: 'strix-halo-npu', match: { pciRevision: /^11$/ }, attributes: {}, source: xdna },
      { model: 'krackan-npu', match: { pciRevision: /^20$/ }, attributes: {}, source: xdna },
    ],
  },
  {
    class: 'npu',
    vendor: 'habana',
    family: 'gaudi',
    match: { ids: ['1da3:1000', '1da3:1010', '1da3:1020', '1da3:1060'] },
    attributes: { precisions: ['fp32', 'bf16', 'int8'] },
    source: 'PCI ids of the Linux habanalabs driver; Intel Gaudi documentation',
    models: [
      only('gaudi', '1da3:1000', 'Linux habanalabs driver'),
      only('gaudi2', '1da3:1020', 'Intel Gaudi 2: 96 GB HBM2e', {
        precisions: ['fp32', 'tf32', 'fp16', 'bf16', 'fp8'],
      }),
      only('gaudi3', '1da3:1060', 'Intel Gaudi 3: 128 GB HBM2e', {
        precisions: ['fp32', 'tf32', 'fp16', 'bf16', 'fp8'],
      }),
    ],
  },
  {
    class: 'npu',
    vendor: 'qualcomm',
    family: 'cloud-ai-100',
    match: { ids: ['17cb:a100'] },
    attributes: { precisions: ['fp16', 'int8'] },
    source: 'PCI id of the Linux qaic driver; Qualcomm Cloud AI documentation',
  },
  {
    class: 'npu',
    vendor: 'hailo',
    family: 'hailo-8',
    match: { ids: ['1e60:2864'] },
    attributes: { precisions: ['int8', 'int4'] },
    source: 'Hailo PCIe driver; Hailo-8 data sheet',
  },
  {
    class: 'npu',
    vendor: 'movidius',
    family: 'myriad-x',
    match: { ids: ['03e7:2485', '03e7:f63b'] },
    attributes: { precisions: ['fp16'] },
    source: 'USB ids in OpenVINO udev rules; Myriad X computes fp16',
  },
  {
    class: 'npu',
    vendor: 'rockchip',
    family: 'rknpu',
    match: { compatible: /^rockchip,rk\d+\w*-rk(npu|nn-core)$/ },
    attributes: { precisions: ['fp16', 'int8'] },
    source: 'device tree bindings of Linux, rockchip,rk3588-rknn-core; Rockchip RKNN documentation',
  },
];

const tpus: readonly FamilyEntry[] = [
  {
    class: 'tpu',
    vendor: 'google',
    family: 'cloud-tpu',
    match: { ids: ['0027', '005e', '0062', '0063', '006f', '0076'].map((device) => `1ae0:${device}`) },
    attributes: { precisions: ['fp32', 'bf16'] },
    source: jax,
    models: [
      only('tpu-v2-or-v3', '1ae0:0027', jax),
      only('tpu-v4', '1ae0:005e', jax, { precisions: ['fp32', 'bf16', 'int8'] }),
      only('tpu-v5p', '1ae0:0062', jax, { precisions: ['fp32', 'bf16', 'int8'] }),
      only('tpu-v5e', '1ae0:0063', jax, { precisions: ['fp32', 'bf16', 'int8'] }),
      only('tpu-v6e', '1ae0:006f', jax, { precisions: ['fp32', 'bf16', 'int8'] }),
      only('tpu7x', '1ae0:0076', jax, { precisions: ['fp32', 'bf16', 'fp8'] }),
    ],
  },
  {
    class: 'tpu',
    family: 'edge-tpu',
    match: { ids: ['1ac1:089a', '1a6e:089a', '18d1:9302'] },
    attributes: { precisions: ['int8'] },
    source: coralDocs,
    models: [
      only('coral-pcie', '1ac1:089a', 'PCI id of the gasket and apex drivers'),
      // The USB stick is Global Unichip's until its firmware is loaded, and Google's afterwards.
      only('coral-usb', '1a6e:089a', coralDocs),
      only('coral-usb', '18d1:9302', coralDocs),
    ],
  },
];

const dsps: readonly FamilyEntry[] = [
  {
    class: 'dsp',
    vendor: 'qualcomm',
    family: 'hexagon',
    match: {},
    attributes: {},
    source: 'Linux fastrpc driver',
  },
  { class: 'dsp', vendor: 'ti', family: 'ti-dsp', match: {}, attributes: {}, source: 'Linux remoteproc, ti,*-dsp' },
];

const fpgas: readonly FamilyEntry[] = [
  { class: 'fpga', vendor: 'xilinx', family: 'xilinx', match: {}, attributes: {}, source: 'PCI vendor 10ee' },
  { class: 'fpga', vendor: 'altera', family: 'altera', match: {}, attributes: {}, source: 'PCI vendor 1172' },
  {
    class: 'fpga',
    vendor: 'intel',
    family: 'altera',
    match: { ids: ['8086:09c4', '8086:bcc0', '8086:bcce', '8086:0b2b', '8086:0b30', '8086:af00'] },
    attributes: {},
    source: 'PCI ids of the Linux dfl-pci driver',
  },
  { class: 'fpga', vendor: 'lattice', family: 'lattice', match: {}, attributes: {}, source: 'PCI vendor 1204' },
  {
    class: 'fpga',
    vendor: 'microchip',
    family: 'microchip',
    match: {},
    attributes: {},
    source: 'PCI vendors 11aa, 1556',
  },
];

const cpus: readonly FamilyEntry[] = [
  {
    class: 'cpu',
    family: 'x86-64',
    match: { arch: /^x64$/ },
    attributes: { precisions: ['fp64', 'fp32', 'int8'] },
    source: 'x86-64 psABI: SSE2 is in its base',
  },
  {
    class: 'cpu',
    family: 'aarch64',
    match: { arch: /^arm64$/ },
    attributes: { precisions: ['fp64', 'fp32', 'int8'] },
    source: 'Arm Architecture Reference Manual: Advanced SIMD is in its base',
  },
  { class: 'cpu', family: 'riscv64', match: { arch: /^riscv64$/ }, attributes: {}, source: 'process.arch' },
  { class: 'cpu', family: 'ppc64', match: { arch: /^ppc64$/ }, attributes: {}, source: 'process.arch' },
  { class: 'cpu', family: 's390x', match: { arch: /^s390x$/ }, attributes: {}, source: 'process.arch' },
];

export const otherFamilies: readonly FamilyEntry[] = [...cpus, ...npus, ...tpus, ...dsps, ...fpgas];
