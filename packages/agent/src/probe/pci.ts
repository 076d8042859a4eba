// PCI's numbers as words: a vendor id gives the `vendor` of a GPU, and bus addresses are brought to one spelling, so that
// what two tools say about one card can be recognised as one.

/** Vendor ids of display controllers (PCI-SIG's list). An id that is not here stays a number: `pci-1d17`. */
const vendors: Record<string, string> = {
  '10de': 'nvidia',
  '1002': 'amd',
  '8086': 'intel',
  '106b': 'apple',
  '5143': 'qualcomm',
  '13b5': 'arm',
  '1010': 'imagination',
  '1ed5': 'moore-threads',
  '1af4': 'virtio',
  '1b36': 'redhat',
  '1234': 'qemu',
  '15ad': 'vmware',
  '80ee': 'virtualbox',
  '1414': 'microsoft',
  '1a03': 'aspeed',
  '102b': 'matrox',
};

/** `id` is four hexadecimal digits. */
export function pciVendor(id: string): string {
  return vendors[id.toLowerCase()] ?? `pci-${id.toLowerCase()}`;
}

/** "00000000:3B:00.0" (nvidia-smi) and "0000:3b:00.0" (sysfs) are one address; undefined for anything else. */
export function busAddress(text: string | undefined): string | undefined {
  const found = /^(?:0000)?([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i.exec(text?.trim() ?? '');
  return found ? `${found[1]}:${found[2]}:${found[3]}.${found[4]}`.toLowerCase() : undefined;
}
