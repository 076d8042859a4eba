// What pages of a browser get, as units of the taxonomy: WebGPU adapters, WebNN contexts, the WebAssembly engine. All of it was
// measured in a page; where nobody has looked there is no unit.
import type { InstalledBrowser, WebGpuAdapter, WebNnContext } from '@assay/protocol';
import type { FoundUnit } from './devices.ts';

export function browserUnits(browser: InstalledBrowser): FoundUnit[] {
  const { name, channel, version, major, minor } = browser;
  const of = {
    browser: channel === undefined ? name : `${name}/${channel}`,
    browserVersion: {
      version,
      ...(major === undefined ? {} : { major }),
      ...(minor === undefined ? {} : { minor }),
    },
  };
  const units: FoundUnit[] = [
    ...(browser.webgpu ?? []).map((adapter) => adapterUnit(adapter, of)),
    ...(browser.webnn ?? []).map((context) => contextUnit(context, of)),
  ];
  if (browser.wasm !== undefined)
    units.push({
      measured: { class: 'wasm', model: name },
      source: 'a page',
      values: { ...of, family: name, features: browser.wasm.features },
    });
  return units;
}

type Owner = { browser: string; browserVersion: { version: string; major?: number; minor?: number } };

function adapterUnit(adapter: WebGpuAdapter, of: Owner): FoundUnit {
  const { vendor, architecture, device, description, backend, isSoftware, features, limits } = adapter;
  const model = description ?? device;
  return {
    measured: { class: 'webgpu', vendor: vendor?.toLowerCase(), model },
    source: 'a page',
    values: {
      ...of,
      family: architecture,
      model,
      backend,
      software: isSoftware,
      features,
      limits,
      // The standard gives every adapter fp32; half precision is a feature.
      precisions: ['fp32', ...(features.includes('shader-f16') ? ['fp16'] : [])],
    },
  };
}

/** Names of WebNN's operand data types, as the precisions of other devices are named. */
const dataTypes: Readonly<Record<string, string>> = { float32: 'fp32', float16: 'fp16', int8: 'int8', int4: 'int4' };

function contextUnit(context: WebNnContext, of: Owner): FoundUnit {
  const precisions = (context.dataTypes ?? []).flatMap((type) => dataTypes[type] ?? []);
  return {
    measured: { class: 'webnn' },
    source: 'a page',
    values: {
      ...of,
      family: context.deviceType,
      features: context.operators,
      precisions: precisions.length === 0 ? undefined : precisions,
    },
  };
}
