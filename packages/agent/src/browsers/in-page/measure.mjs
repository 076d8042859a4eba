// In a page of ours on http://localhost: what this browser really gives to pages. Everything is tried, nothing is read off a
// version. Its text is sent to the browser: it may use nothing but what it contains.

/** @returns {Promise<object>} */
export async function measure() {
  const failed = (/** @type {string} */ list) => (/** @type {unknown} */ error) => ({
    [list]: [],
    reason: String(error),
  });
  return {
    userAgent: navigator.userAgent,
    isIsolated: Boolean(globalThis.crossOriginIsolated),
    webgpu: await webgpu().catch(failed('adapters')),
    webnn: await webnn().catch(failed('contexts')),
    wasm: wasm(),
    webgl: webgl(),
  };
}

/** @param {Promise<any>} promise @param {number} ms */
function within(promise, ms) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms));
  return Promise.race([promise, late]);
}

async function webgpu() {
  const gpu = /** @type {any} */ (navigator).gpu;
  if (!gpu) return { adapters: [], reason: 'navigator.gpu is not there' };
  const adapter = await within(gpu.requestAdapter(), 20_000);
  if (!adapter) return { adapters: [], reason: 'requestAdapter gave null' };
  const { vendor, architecture, device: model, description, isFallbackAdapter } = adapter.info ?? {};
  const limits = /** @type {Record<string, number>} */ ({});
  for (const name in adapter.limits) if (typeof adapter.limits[name] === 'number') limits[name] = adapter.limits[name];
  const device = await within(adapter.requestDevice(), 20_000);
  device.destroy();
  const isFallback = Boolean(isFallbackAdapter ?? adapter.isFallbackAdapter);
  const features = [...adapter.features].map(String).toSorted();
  return { adapters: [{ vendor, architecture, device: model, description, isFallback, features, limits }] };
}

async function webnn() {
  const ml = /** @type {any} */ (navigator).ml;
  if (!ml) return { contexts: [], reason: 'navigator.ml is not there' };
  const contexts = [];
  let reason = '';
  for (const deviceType of ['cpu', 'gpu', 'npu']) {
    try {
      const context = await within(ml.createContext({ deviceType }), 20_000);
      const limits = context.opSupportLimits?.() ?? {};
      const isOperator = (/** @type {string} */ name) =>
        typeof limits[name] === 'object' && !['input', 'constant', 'output'].includes(name);
      const operators = Object.keys(limits).filter(isOperator).toSorted();
      const dataTypes = [...(limits.input?.dataTypes ?? [])].map(String).toSorted();
      contexts.push({ deviceType, operators, dataTypes });
      context.destroy?.();
    } catch (error) {
      reason ||= `createContext for ${deviceType}: ${String(error)}`;
    }
  }
  return { contexts, reason };
}

function wasm() {
  const head = [0, 97, 115, 109, 1, 0, 0, 0];
  // Smallest modules that are valid only with the feature (the WebAssembly specification, binary format).
  const modules = {
    simd: [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
    'relaxed-simd': [
      ...[1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
    ],
    threads: [...[1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0, 26, 11]],
    memory64: [5, 3, 1, 4, 1],
    'bulk-memory': [
      ...[1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 10, 14, 1, 12, 0, 65, 0, 65, 0, 65, 0, 252, 10, 0, 0, 11],
    ],
    'tail-call': [1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 18, 0, 11],
    gc: [1, 5, 1, 95, 1, 120, 0],
  };
  const features = [];
  for (const [name, body] of Object.entries(modules)) {
    try {
      if (!WebAssembly.validate(new Uint8Array([...head, ...body]))) continue;
      // Threads are of use only where memory can be shared, which needs an isolated page.
      if (name === 'threads') structuredClone(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
      features.push(name);
    } catch {
      // Not given.
    }
  }
  return { features: features.toSorted() };
}

function webgl() {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) return null;
  const names = gl.getExtension('WEBGL_debug_renderer_info');
  const text = (/** @type {number} */ parameter) => String(gl.getParameter(parameter));
  return {
    vendor: text(names ? names.UNMASKED_VENDOR_WEBGL : gl.VENDOR),
    renderer: text(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER),
  };
}
