// PCI's numbers as words: a vendor id gives the `vendor` of a GPU, and bus addresses are brought to one spelling, so that
// what two tools say about one card can be recognised as one.

import { vendors } from '@assay/protocol';

const wordsByPci = new Map(vendors.flatMap(({ vendor, pci = [] }) => pci.map((id): [string, string] => [id, vendor])));
const wordsByUsb = new Map(vendors.flatMap(({ vendor, usb = [] }) => usb.map((id): [string, string] => [id, vendor])));

/** `id` is four hexadecimal digits. */
export function pciVendor(id: string): string {
  return wordsByPci.get(id.toLowerCase()) ?? `pci-${id.toLowerCase()}`;
}

/** `id` is four hexadecimal digits. */
export function usbVendor(id: string): string {
  return wordsByUsb.get(id.toLowerCase()) ?? `usb-${id.toLowerCase()}`;
}

/** "00000000:3B:00.0" (nvidia-smi) and "0000:3b:00.0" (sysfs) are one address; undefined for anything else. */
export function busAddress(text: string | undefined): string | undefined {
  const found = /^(?:0000)?([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i.exec(text?.trim() ?? '');
  return found ? `${found[1]}:${found[2]}:${found[3]}.${found[4]}`.toLowerCase() : undefined;
}
