// What of a machine a failure may live on: its class, processor, GPUs, drivers and browsers, by name and version, as its profile has them.
import { Profile } from '@assay/protocol';

/** Of a profile that this version cannot read only the class is known. */
export function dimensionsOf(digest: string, stored: unknown): Record<string, string> {
  const dimensions: Record<string, string> = { class: digest };
  const profile = Profile.safeParse(stored);
  if (!profile.success) return dimensions;
  const { cpu, gpus, browsers, drivers } = profile.data;
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) dimensions[name] = value;
  };
  put('processor', cpu.model);
  for (const [name, { version }] of Object.entries(drivers)) put(`driver ${name}`, version);
  for (const { name, version } of browsers) put(`browser ${name}`, version);
  for (const [at, { model, driver }] of (gpus ?? []).entries()) {
    put(`gpu ${at}`, model);
    put(`gpu ${at} driver`, driver);
  }
  return dimensions;
}

/** A class of hardware in words: processor, GPUs and browsers; its digest's first letters where the profile is not known. */
export function hardwareText(digest: string, stored: unknown): string {
  const { class: _, ...known } = dimensionsOf(digest, stored);
  const named = Object.entries(known).filter(([name]) => /^(processor|gpu \d+|browser .*)$/.test(name));
  const words = named.map(([name, value]) => (name.startsWith('browser ') ? `${name.slice(8)} ${value}` : value));
  return words.length === 0 ? digest.slice(0, 12) || 'not known' : words.join(', ');
}
