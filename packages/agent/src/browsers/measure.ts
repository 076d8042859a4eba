// Measures what each browser of this machine gives to pages: starts it, opens a page of ours on http://localhost, and tries
// there (in-page/measure.mjs). With a GPU in the machine the hardware is tried first; what is then software is called so.
// What always holds: what could not be measured has its reason in `unknown`, and the browser's other fields stay.
import { z } from 'zod';
import { InstalledBrowser } from '@assay/protocol';
import type { Profile, UnknownField, WebGpuAdapter } from '@assay/protocol';
import type { MachineBrowsers } from './choose.ts';
import { isSoftwareAdapter } from './hallmark.ts';
import { inPageCall } from './in-page-call.ts';
import { browserKey, knownGoodFor } from './known-good.ts';
import { Loopback } from './loopback.ts';
import { BrowserSession } from './session.ts';

export type Measurements = { readonly browsers: InstalledBrowser[]; readonly unknown: UnknownField[] };

const text = z.string().max(500).optional();
const Answer = z.object({
  userAgent: z.string(),
  isIsolated: z.boolean(),
  webgpu: z.object({
    adapters: z.array(
      z.object({
        vendor: text,
        architecture: text,
        device: text,
        description: text,
        isFallback: z.boolean(),
        features: z.array(z.string()),
        limits: z.record(z.string(), z.number()),
      }),
    ),
    reason: z.string().optional(),
  }),
  webnn: z.object({
    contexts: z.array(
      z.object({ deviceType: z.string(), operators: z.array(z.string()), dataTypes: z.array(z.string()) }),
    ),
    reason: z.string().optional(),
  }),
  wasm: z.object({ features: z.array(z.string()) }),
  webgl: z.object({ vendor: z.string(), renderer: z.string() }).nullable(),
});
type Answer = z.infer<typeof Answer>;

/** One after the other: two at once would time each other out on a small machine. */
export async function measureBrowsers(
  machine: MachineBrowsers & Pick<Profile, 'gpus'>,
  parentDir: string,
): Promise<Measurements> {
  const browsers: InstalledBrowser[] = [];
  const unknown: UnknownField[] = [];
  for (const browser of machine.browsers) {
    const known = knownGoodFor(browser);
    const driverPath = known === null ? undefined : machine.drivers[known.driver]?.path;
    const field = `browsers.${browserKey(browser)}.page`.slice(0, 100);
    const hasGpu = (machine.gpus?.length ?? 0) > 0;
    try {
      if (known === null) throw new Error('this version of Assay cannot hold it');
      if (driverPath === undefined) throw new Error(`its driver ${known.driver} is not installed`);
      const measured = await measureOne(browser, driverPath, parentDir, hasGpu ? [false, true] : [true]);
      browsers.push(measured.browser);
      for (const reason of measured.reasons) unknown.push({ field, reason: reason.slice(0, 500) });
    } catch (error) {
      browsers.push(browser);
      unknown.push({ field, reason: String(error instanceof Error ? error.message : error).slice(0, 500) });
    }
  }
  return { browsers, unknown };
}

/** `tries` says in which order hardware (false) and software (true) are tried: the first that has an adapter counts. */
async function measureOne(
  browser: InstalledBrowser,
  driverPath: string,
  parentDir: string,
  tries: readonly boolean[],
): Promise<{ browser: InstalledBrowser; reasons: string[] }> {
  let answer: Answer | null = null;
  for (const isSoftware of tries) {
    answer = await answerOf(browser, driverPath, parentDir, isSoftware);
    if (answer.webgpu.adapters.length > 0) break;
  }
  if (answer === null) throw new Error('nothing was tried');
  const { webgpu, webnn, wasm, webgl, userAgent, isIsolated } = answer;
  const measured = InstalledBrowser.parse({
    ...browser,
    webgpu: webgpu.adapters.map(adapterOf),
    webnn: webnn.contexts,
    wasm,
    page: { userAgent: userAgent.slice(0, 500), isIsolated },
    ...(webgl === null
      ? {}
      : {
          webgl: {
            ...webgl,
            isSoftware: isSoftwareAdapter({ ...webgl, isFallback: false, description: webgl.renderer }),
          },
        }),
  });
  const reasons = [webgpu.reason, webnn.reason].filter((reason) => reason !== undefined && reason !== '');
  return { browser: measured, reasons: reasons as string[] };
}

/** Names that a browser withholds are empty texts: absent, not measured as "". */
function adapterOf({ isFallback, features, limits, ...names }: Answer['webgpu']['adapters'][number]): WebGpuAdapter {
  const told = Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined && value !== ''));
  return { ...told, isSoftware: isSoftwareAdapter({ ...told, isFallback }), features, limits };
}

async function answerOf(
  browser: InstalledBrowser,
  driverPath: string,
  parentDir: string,
  isSoftware: boolean,
): Promise<Answer> {
  const session = await BrowserSession.start({ browser, driverPath, isSoftware, flags: [], parentDir });
  let loopback: Loopback | null = null;
  try {
    loopback = await Loopback.start();
    const headers = { 'Content-Type': 'text/html; charset=utf-8' };
    loopback.serve([
      () => ({ headers, body: '<!doctype html><title>assay</title><script>globalThis.isHere = true</script>' }),
    ]);
    await session.driver.get(`${loopback.origin}/`);
    const arrived =
      'return new Promise((resolve) => { const look = () => globalThis.isHere ? resolve() : setTimeout(look, 5); look(); })';
    await session.driver.executeScript(arrived).catch(async () => session.driver.executeScript(arrived));
    return Answer.parse(await session.driver.executeScript(`return ${inPageCall('measure')}`));
  } finally {
    await session.close();
    await loopback?.close();
  }
}
