// In the page's own world, before any script of the page: wraps what makes work on a GPU, and tells the agent over a
// binding that it takes away from the page at once. A page that puts something of its own in the place of navigator.gpu, or
// that never submits work, is not seen to have worked. Its text is sent to the browser: it uses nothing but what it contains.
// What always holds: the wrapped functions return and throw what the real ones do.

/** @param {string} binding */
export function witness(binding) {
  const scope = /** @type {any} */ (globalThis);
  const tell = scope[binding];
  delete scope[binding];
  if (typeof tell !== 'function' || typeof scope.GPU !== 'function') return;
  const { stringify } = JSON;
  const { apply } = Reflect;
  const { defineProperty } = Object;
  const { from } = Array;
  const { get, set } = WeakMap.prototype;
  const { then } = Promise.prototype;
  const later = queueMicrotask;
  const say = (/** @type {object} */ fact) => tell(stringify(fact));
  const read = (/** @type {WeakMap<any, any>} */ map, /** @type {any} */ key) => apply(get, map, [key]);
  const write = (/** @type {WeakMap<any, any>} */ map, /** @type {any} */ key, /** @type {any} */ value) => apply(set, map, [key, value]);
  const after = (/** @type {Promise<any>} */ promise, /** @type {(value: any) => void} */ act) => void apply(then, promise, [act, () => {}]);

  const total = { submits: 0, completed: 0, dispatches: 0, draws: 0, afterLost: 0, uncaptured: 0 };
  let isTelling = false;
  const tellWork = () => {
    if (isTelling) return;
    isTelling = true;
    later(() => {
      isTelling = false;
      say({ kind: 'work', ...total });
    });
  };
  /** @type {WeakMap<any, any>} */
  const works = new WeakMap();
  /** @type {WeakMap<any, any>} */
  const devices = new WeakMap();
  const workOf = (/** @type {any} */ key) => read(works, key);

  /** @param {any} type @param {string} name @param {(self: any, args: any[], result: any) => void} observe */
  const wrap = (type, name, observe) => {
    const real = type?.prototype?.[name];
    if (typeof real !== 'function') return;
    const wrapped = {
      /** @this {any} */
      [name](/** @type {any[]} */ ...args) {
        const result = apply(real, this, args);
        observe(this, args, result);
        return result;
      },
    }[name];
    defineProperty(type.prototype, name, { value: wrapped, writable: true, enumerable: true, configurable: true });
  };

  wrap(scope.GPU, 'requestAdapter', (_gpu, _args, result) =>
    after(result, (adapter) => {
      if (!adapter) return say({ kind: 'noAdapter' });
      const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info ?? {};
      say({ kind: 'adapter', vendor, architecture, device, description, isFallback: Boolean(isFallbackAdapter ?? adapter.isFallbackAdapter) });
    }),
  );
  let count = 0;
  wrap(scope.GPUAdapter, 'requestDevice', (_adapter, _args, result) =>
    after(result, (device) => {
      count += 1;
      const known = { number: count, isLost: false, waits: false };
      write(devices, device.queue, known);
      say({ kind: 'device', number: known.number });
      after(device.lost, (info) => {
        known.isLost = true;
        say({ kind: 'lost', number: known.number, reason: String(info?.reason), message: String(info?.message) });
      });
      device.addEventListener('uncapturederror', (/** @type {any} */ event) => {
        total.uncaptured += 1;
        if (total.uncaptured <= 20) say({ kind: 'uncaptured', message: String(event.error?.message) });
      });
    }),
  );
  wrap(scope.GPUDevice, 'createCommandEncoder', (_device, _args, encoder) => write(works, encoder, { dispatches: 0, draws: 0 }));
  for (const begin of ['beginComputePass', 'beginRenderPass'])
    wrap(scope.GPUCommandEncoder, begin, (encoder, _args, pass) => write(works, pass, workOf(encoder)));
  wrap(scope.GPUCommandEncoder, 'finish', (encoder, _args, buffer) => write(works, buffer, workOf(encoder)));
  const counts = (/** @type {'dispatches' | 'draws'} */ what) => (/** @type {any} */ pass) => {
    const work = workOf(pass);
    if (work) work[what] += 1;
  };
  for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) wrap(scope.GPUComputePassEncoder, name, counts('dispatches'));
  for (const name of ['draw', 'drawIndexed', 'drawIndirect', 'drawIndexedIndirect', 'executeBundles'])
    wrap(scope.GPURenderPassEncoder, name, counts('draws'));
  const whenDone = scope.GPUQueue.prototype.onSubmittedWorkDone;
  const complete = (/** @type {any} */ queue, /** @type {any} */ known) => {
    known.waits = true;
    const upTo = total.submits;
    after(apply(whenDone, queue, []), () => {
      known.waits = false;
      if (!known.isLost && total.completed < upTo) total.completed = upTo;
      tellWork();
      if (total.submits > upTo && !known.isLost) complete(queue, known);
    });
  };
  const submit = scope.GPUQueue.prototype.submit;
  defineProperty(scope.GPUQueue.prototype, 'submit', {
    /** @this {any} */
    value: function submitted(/** @type {any} */ buffers) {
      const list = from(buffers);
      apply(submit, this, [list]);
      const known = read(devices, this);
      total.submits += 1;
      if (known?.isLost) total.afterLost += 1;
      for (let at = 0; at < list.length; at += 1) {
        const work = workOf(list[at]);
        total.dispatches += work?.dispatches ?? 0;
        total.draws += work?.draws ?? 0;
      }
      tellWork();
      if (known && !known.isLost && !known.waits) complete(this, known);
    },
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
