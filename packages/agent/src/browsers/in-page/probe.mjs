// In a world of the page that the page's scripts cannot reach: which adapter a script gets there, and what a device of it
// computes from numbers that nobody could know before. Its text is sent to the browser: it uses nothing but what it contains.

/** @param {number[]} words eight 32-bit numbers @param {string} platform */
export async function probe(words, platform) {
  const facts = {
    userAgent: navigator.userAgent,
    url: location.href,
    isIsolated: Boolean(globalThis.crossOriginIsolated),
  };
  if (platform === 'webnn') return { ...facts, ...(await probeWebNn(words)) };
  return platform === 'webgpu' ? { ...facts, ...(await probeWebGpu(words)) } : facts;
}

/** x * x + x of small whole numbers: exact in 32-bit floats. Keep in step with nnProduct in hallmark.ts. @param {number[]} words */
async function probeWebNn(words) {
  const scope = /** @type {any} */ (globalThis);
  if (!scope.navigator.ml) return { missing: 'navigator.ml is not there' };
  const context = await scope.navigator.ml.createContext();
  const builder = new scope.MLGraphBuilder(context);
  const kind = { dataType: 'float32', shape: [words.length] };
  const x = builder.input('x', kind);
  const graph = await builder.build({ y: builder.add(builder.mul(x, x), x) });
  const [input, output] = await Promise.all([
    context.createTensor({ ...kind, writable: true }),
    context.createTensor({ ...kind, readable: true }),
  ]);
  context.writeTensor(input, new Float32Array(words.map((word) => word % 1024)));
  context.dispatch(graph, { x: input }, { y: output });
  const product = [...new Float32Array(await context.readTensor(output))];
  context.destroy?.();
  return { product };
}

/** @param {number[]} words */
async function probeWebGpu(words) {
  const gpu = /** @type {any} */ (navigator).gpu;
  if (!gpu) return { missing: 'navigator.gpu is not there' };
  const adapter = await gpu.requestAdapter();
  if (!adapter) return { missing: 'requestAdapter gave null' };
  const { vendor, architecture, device: model, description, isFallbackAdapter } = adapter.info ?? {};
  const info = {
    vendor,
    architecture,
    device: model,
    description,
    isFallback: Boolean(isFallbackAdapter ?? adapter.isFallbackAdapter),
  };
  const device = await adapter.requestDevice();
  // Keep in step with gpuProduct in hallmark.ts.
  const code = `
    @group(0) @binding(0) var<storage, read> seed: array<u32, 8>;
    @group(0) @binding(1) var<storage, read_write> product: array<u32, 64>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) at: u32) {
      var x = seed[at % 8u] ^ (at * 2654435769u);
      for (var round = 0u; round < 256u; round++) { x = x * 1664525u + 1013904223u + seed[(x >> 5u) & 7u]; }
      product[at] = x;
    }`;
  const buffer = (/** @type {number} */ size, /** @type {number} */ usage) => device.createBuffer({ size, usage });
  // STORAGE | COPY_DST, STORAGE | COPY_SRC, MAP_READ | COPY_DST (WebGPU, GPUBufferUsage).
  const [seed, product, result] = [buffer(32, 0x88), buffer(256, 0x84), buffer(256, 0x9)];
  device.queue.writeBuffer(seed, 0, new Uint32Array(words));
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const entries = [seed, product].map((each, binding) => ({ binding, resource: { buffer: each } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(product, 0, result, 0, 256);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(1);
  const computed = [...new Uint32Array(result.getMappedRange().slice(0))];
  device.destroy();
  return { adapter: info, product: computed };
}
