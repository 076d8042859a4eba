// The classes of devices, the top of the taxonomy: class -> family -> model -> unit. An attribute that is said of a class holds for
// its families, models and units unless one of them says otherwise; a unit is a device that a probe found on a worker.

export const deviceClasses = ['cpu', 'gpu', 'npu', 'tpu', 'dsp', 'fpga', 'webgpu', 'webnn', 'wasm'] as const;
export type DeviceClass = (typeof deviceClasses)[number];

export type ClassEntry = {
  readonly class: DeviceClass;
  readonly meaning: string;
  /** What tells families apart, and models in them. */
  readonly families: string;
  /** Where the units of this class come from. */
  readonly units: string;
  readonly attributes: Readonly<Record<string, unknown>>;
};

export const classTable: readonly ClassEntry[] = [
  {
    class: 'cpu',
    meaning: 'all processors that the worker may use, as one device',
    families: 'instruction set architecture; models by the name that the processor gives itself',
    units: '`profile.cpu`: one a worker',
    attributes: { software: false },
  },
  {
    class: 'gpu',
    meaning: 'a graphics processor, or one slice of it where it is cut (NVIDIA MIG)',
    families: 'architecture; models by product name',
    units: '`profile.gpus`',
    attributes: {},
  },
  {
    class: 'npu',
    meaning: 'a neural processor: on the chip of a laptop, or a card for inference or training',
    families: 'architecture; models by PCI or USB id',
    units: '`profile.accelerators` of class `npu`',
    attributes: { software: false },
  },
  {
    class: 'tpu',
    meaning: "Google's tensor processor, in the cloud or as Coral Edge TPU",
    families: 'cloud or edge; models by PCI or USB id',
    units: '`profile.accelerators` of class `tpu`',
    attributes: { software: false },
  },
  {
    class: 'dsp',
    meaning: 'a digital signal processor that tasks can be given',
    families: 'architecture',
    units: '`profile.accelerators` of class `dsp`',
    attributes: { software: false },
  },
  {
    class: 'fpga',
    meaning: 'a field-programmable gate array',
    families: 'maker; models by PCI id',
    units: '`profile.accelerators` of class `fpga`',
    attributes: { software: false },
  },
  {
    class: 'webgpu',
    meaning: 'a WebGPU adapter as pages of one browser get it',
    families: 'vendor and architecture in the words of the adapter',
    units: '`profile.browsers[].webgpu`, measured in a page',
    attributes: {},
  },
  {
    class: 'webnn',
    meaning: 'a WebNN context as pages of one browser get it',
    families: 'the device type that was asked for, which proves nothing about where it runs',
    units: '`profile.browsers[].webnn`, measured in a page',
    attributes: {},
  },
  {
    class: 'wasm',
    meaning: 'the WebAssembly engine of one browser',
    families: 'the browser',
    units: '`profile.browsers[].wasm`, measured in a page',
    attributes: {},
  },
];
