// Who makes a device, by the numbers that buses give: one word a vendor, used by every probe and by the taxonomy.
// Numbers are those of the PCI-SIG's and the USB-IF's lists (as in pci.ids and usb.ids), lower case, four digits.
// An id that is not here stays a number (`pci-1d17`, `usb-1a6e`), so that nothing is guessed.

export type Vendor = {
  readonly vendor: string;
  readonly name: string;
  readonly pci?: readonly string[];
  readonly usb?: readonly string[];
  /** The maker's own tool that probes ask, by the name under which `via` shows it. */
  readonly tools?: readonly string[];
};

export const vendors: readonly Vendor[] = [
  { vendor: 'nvidia', name: 'NVIDIA', pci: ['10de'], usb: ['0955'], tools: ['nvidia-smi'] },
  { vendor: 'amd', name: 'AMD', pci: ['1002', '1022'], tools: ['rocm-smi'] },
  { vendor: 'intel', name: 'Intel', pci: ['8086'], usb: ['8087', '8086'] },
  { vendor: 'apple', name: 'Apple', pci: ['106b'], usb: ['05ac'], tools: ['system_profiler'] },
  { vendor: 'qualcomm', name: 'Qualcomm', pci: ['17cb', '5143'], usb: ['05c6'] },
  { vendor: 'arm', name: 'Arm', pci: ['13b5'] },
  { vendor: 'imagination', name: 'Imagination', pci: ['1010'] },
  { vendor: 'moore-threads', name: 'Moore Threads', pci: ['1ed5'] },
  { vendor: 'google', name: 'Google', pci: ['1ae0'], usb: ['18d1'] },
  { vendor: 'coral', name: 'Google Coral (Global Unichip)', pci: ['1ac1'], usb: ['1a6e'] },
  { vendor: 'habana', name: 'Intel Habana', pci: ['1da3'] },
  { vendor: 'hailo', name: 'Hailo', pci: ['1e60'] },
  { vendor: 'movidius', name: 'Intel Movidius', usb: ['03e7'] },
  { vendor: 'xilinx', name: 'AMD Xilinx', pci: ['10ee'], usb: ['03fd'] },
  { vendor: 'altera', name: 'Intel Altera', pci: ['1172'], usb: ['09fb'] },
  { vendor: 'lattice', name: 'Lattice', pci: ['1204'] },
  { vendor: 'microchip', name: 'Microchip (Microsemi)', pci: ['11aa', '1556'] },
  { vendor: 'rockchip', name: 'Rockchip', pci: ['1d87'], usb: ['2207'] },
  { vendor: 'ti', name: 'Texas Instruments', pci: ['104c'], usb: ['0451'] },
  { vendor: 'virtio', name: 'virtio', pci: ['1af4'] },
  { vendor: 'redhat', name: 'Red Hat (QEMU)', pci: ['1b36'] },
  { vendor: 'qemu', name: 'QEMU', pci: ['1234'] },
  { vendor: 'vmware', name: 'VMware', pci: ['15ad'] },
  { vendor: 'virtualbox', name: 'VirtualBox', pci: ['80ee'] },
  { vendor: 'microsoft', name: 'Microsoft (Hyper-V)', pci: ['1414'] },
  { vendor: 'aspeed', name: 'ASPEED', pci: ['1a03'] },
  { vendor: 'matrox', name: 'Matrox', pci: ['102b'] },
];
