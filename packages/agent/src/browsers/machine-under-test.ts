// For tests: the Chromium of this machine, really measured once for all tests of a file; null, said loudly, where there is none.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { probeMachine } from '../probe/index.ts';
import type { MachineBrowsers } from './choose.ts';
import { measureBrowsers } from './measure.ts';
import type { Measurements } from './measure.ts';

export type MachineUnderTest = MachineBrowsers & Pick<Measurements, 'unknown'>;

/** Measures the browsers that `wants` names by key; null where one of them, or its driver, is not installed. */
export async function machineUnderTest(wants: readonly string[]): Promise<MachineUnderTest | null> {
  const { profile } = await probeMachine();
  const browsers = profile.browsers.filter(({ name, channel }) =>
    wants.includes(channel ? `${name}/${channel}` : name),
  );
  if (browsers.length < wants.length || profile.drivers['chromedriver'] === undefined) {
    const text = `SKIPPED: ${wants.join(', ')} and chromedriver are not all installed (apt-get install chromium chromium-driver)`;
    if (process.env['ASSAY_REQUIRE_ALL'] === '1') throw new Error(text);
    console.error(text);
    return null;
  }
  const scratch = await mkdtemp(path.join(tmpdir(), 'assay-m-'));
  try {
    const { drivers, gpus } = profile;
    const machine = { browsers, drivers, ...(gpus === undefined ? {} : { gpus }) };
    return { ...machine, ...(await measureBrowsers(machine, scratch)) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
