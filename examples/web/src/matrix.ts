// Products of square matrices of 32-bit whole numbers: on a WebGPU device, and by hand to compare with.

const shader = /* wgsl */ `
  @group(0) @binding(0) var<storage, read> left: array<u32>;
  @group(0) @binding(1) var<storage, read> right: array<u32>;
  @group(0) @binding(2) var<storage, read_write> product: array<u32>;
  @group(0) @binding(3) var<uniform> size: u32;
  @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) at: vec3u) {
    if (at.x >= size || at.y >= size) { return; }
    var sum = 0u;
    for (var k = 0u; k < size; k++) { sum += left[at.y * size + k] * right[k * size + at.x]; }
    product[at.y * size + at.x] = sum;
  }`;

export type Square = { readonly size: number; readonly values: Uint32Array };

export function multiply({ size, values }: Square, right: Square): Uint32Array {
  return Uint32Array.from({ length: size * size }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < size; k += 1)
      sum = (sum + Math.imul(values[Math.floor(at / size) * size + k]!, right.values[k * size + (at % size)]!)) >>> 0;
    return sum;
  });
}

export async function multiplyOnGpu(device: GPUDevice, left: Square, right: Square): Promise<Uint32Array> {
  const { size } = left;
  const bytes = size * size * 4;
  const made = (usage: number, length = bytes): GPUBuffer => device.createBuffer({ size: length, usage });
  const storage = GPUBufferUsage.STORAGE;
  const buffers = [
    made(storage | GPUBufferUsage.COPY_DST),
    made(storage | GPUBufferUsage.COPY_DST),
    made(storage | GPUBufferUsage.COPY_SRC),
    made(GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 4),
  ] as const;
  const result = made(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  device.queue.writeBuffer(buffers[0], 0, left.values);
  device.queue.writeBuffer(buffers[1], 0, right.values);
  device.queue.writeBuffer(buffers[3], 0, Uint32Array.of(size));
  const module = device.createShaderModule({ code: shader });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(size / 8), Math.ceil(size / 8));
  pass.end();
  encoder.copyBufferToBuffer(buffers[2], 0, result, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(GPUMapMode.READ);
  return new Uint32Array(result.getMappedRange().slice(0));
}
