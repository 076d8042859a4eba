// Needs a browser that gives pages a WebGPU adapter, by its name. On a machine without a GPU that is a software one, and
// every report says so.
import { assert, assertEqual, test } from 'assay/page';
import { multiply, multiplyOnGpu, type Square } from '../src/matrix.ts';

const adapter = await navigator.gpu.requestAdapter();
assert(adapter, 'there is no adapter');
const device = await adapter.requestDevice();

/** Numbers that nobody chose: a linear congruence from a seed. */
function square(size: number, seed: number): Square {
  let x = seed;
  const values = Uint32Array.from({ length: size * size }, () => (x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0));
  return { size, values };
}

for (const size of [1, 7, 64, 256])
  test(`a product of ${size} by ${size} is exact`, async () => {
    const [left, right] = [square(size, 1), square(size, 2)];
    assertEqual([...(await multiplyOnGpu(device, left, right))], [...multiply(left, right)]);
  });

test('a product with the unit matrix changes nothing', async () => {
  const left = square(32, 3);
  const unit = { size: 32, values: Uint32Array.from({ length: 1024 }, (_, at) => Number(at % 33 === 0)) };
  assertEqual([...(await multiplyOnGpu(device, left, unit))], [...left.values]);
});
