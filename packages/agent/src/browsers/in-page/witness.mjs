// In the page's own world, before any script of the page: wraps what makes work (WebGPU, WebNN, WebAssembly), and tells it over a
// binding that it takes away from the page at once. A page that puts something of its own in the place of navigator.gpu, or
// that never submits work, is not seen to have worked. Its text is sent to the browser: it uses nothing but what it contains.
// What always holds: the wrapped functions return and throw what the real ones do.

/** @param {string} binding */
export function witness(binding) {
  const scope = /** @type {any} */ (globalThis);
  const tell = scope[binding];
  delete scope[binding];
  if (typeof tell !== 'function') return;
  const own = intrinsics();
  const say = (/** @type {object} */ fact) => tell(own.stringify(fact));
  const works = own.weakMap();
  const devices = own.weakMap();
  const total = {
    submits: 0,
    completed: 0,
    dispatches: 0,
    draws: 0,
    afterLost: 0,
    uncaptured: 0,
    inferences: 0,
    instances: 0,
  };
  let isTelling = false;
  const tellWork = () => {
    if (isTelling) return;
    isTelling = true;
    own.later(() => {
      isTelling = false;
      say({ kind: 'work', ...total });
    });
  };
  watchInferences(own, scope, { say, total, tellWork });
  watchWasm(own, scope, { total, tellWork });
  if (typeof scope.GPU !== 'function') return;
  watchDevices(own, scope, { say, devices, total });
  watchWork(own, scope, works);
  watchQueue(own, scope, { works, devices, total, tellWork });
}

/** WebNN: contexts by the type that was asked for, which proves nothing, and dispatches. @param {any} own @param {any} scope @param {any} state */
function watchInferences(own, scope, { say, total, tellWork }) {
  own.wrap(scope.ML, 'createContext', (/** @type {any} */ _ml, /** @type {any} */ [asked], /** @type {any} */ result) =>
    own.after(result, (/** @type {any} */ context) => {
      say({ kind: 'context', deviceType: String(asked?.deviceType ?? 'unsaid') });
      if (context.lost)
        own.after(context.lost, (/** @type {any} */ info) =>
          say({ kind: 'lost', number: 0, reason: 'context', message: String(info?.message) }),
        );
    }),
  );
  own.wrap(scope.MLContext, 'dispatch', () => {
    total.inferences += 1;
    tellWork();
  });
}

/** WebAssembly: modules that were really made into instances. @param {any} own @param {any} scope @param {any} state */
function watchWasm(own, scope, { total, tellWork }) {
  const engine = scope.WebAssembly;
  if (!engine) return;
  const made = () => {
    total.instances += 1;
    tellWork();
  };
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const real = engine[name];
    if (typeof real !== 'function') continue;
    engine[name] = (/** @type {any[]} */ ...args) => {
      const result = own.apply(real, engine, args);
      own.after(result, made);
      return result;
    };
  }
  const { construct } = scope.Reflect;
  const counted = (/** @type {any} */ target, /** @type {any[]} */ args, /** @type {any} */ type) => {
    const instance = construct(target, args, type);
    made();
    return instance;
  };
  engine.Instance = new scope.Proxy(engine.Instance, { construct: counted });
}

/** Taken before the page can put something else in their place. */
function intrinsics() {
  const scope = /** @type {any} */ (globalThis);
  const { stringify } = scope.JSON;
  const { apply } = scope.Reflect;
  const { defineProperty } = scope.Object;
  const { from } = scope.Array;
  const { WeakMap: Weak } = scope;
  const { get, set } = Weak.prototype;
  const { then } = scope.Promise.prototype;
  const { queueMicrotask: enqueue } = scope;
  const later = (/** @type {() => void} */ act) => apply(enqueue, undefined, [act]);
  const weakMap = () => {
    const map = new Weak();
    return {
      get: (/** @type {any} */ key) => apply(get, map, [key]),
      set: (/** @type {any} */ key, /** @type {any} */ value) => apply(set, map, [key, value]),
    };
  };
  const after = (/** @type {any} */ promise, /** @type {(value: any) => void} */ act) =>
    void apply(then, promise, [act, () => {}]);
  const replace = (/** @type {any} */ type, /** @type {string} */ name, /** @type {any} */ value) =>
    defineProperty(type.prototype, name, { value, writable: true, enumerable: true, configurable: true });
  /** @param {any} type @param {string} name @param {(self: any, args: any[], result: any) => void} observe */
  const wrap = (type, name, observe) => {
    const real = type?.prototype?.[name];
    if (typeof real !== 'function') return;
    const wrapped = {
      /** @this {any} @param {any[]} args */
      [name](...args) {
        const result = apply(real, this, args);
        observe(this, args, result);
        return result;
      },
    };
    replace(type, name, wrapped[name]);
  };
  return { stringify, apply, from, later, weakMap, after, replace, wrap };
}

/** @param {any} own @param {any} scope @param {any} state */
function watchDevices(own, scope, { say, devices, total }) {
  own.wrap(
    scope.GPU,
    'requestAdapter',
    (/** @type {any} */ _gpu, /** @type {any} */ _args, /** @type {any} */ result) =>
      own.after(result, (/** @type {any} */ adapter) => {
        if (!adapter) return say({ kind: 'noAdapter' });
        const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info ?? {};
        const isFallback = Boolean(isFallbackAdapter ?? adapter.isFallbackAdapter);
        say({ kind: 'adapter', vendor, architecture, device, description, isFallback });
      }),
  );
  let count = 0;
  own.wrap(
    scope.GPUAdapter,
    'requestDevice',
    (/** @type {any} */ _adapter, /** @type {any} */ _args, /** @type {any} */ result) =>
      own.after(result, (/** @type {any} */ device) => {
        count += 1;
        const known = { number: count, isLost: false, waits: false };
        devices.set(device.queue, known);
        say({ kind: 'device', number: known.number });
        own.after(device.lost, (/** @type {any} */ info) => {
          known.isLost = true;
          say({ kind: 'lost', number: known.number, reason: String(info?.reason), message: String(info?.message) });
        });
        device.addEventListener('uncapturederror', (/** @type {any} */ event) => {
          total.uncaptured += 1;
          if (total.uncaptured <= 20) say({ kind: 'uncaptured', message: String(event.error?.message) });
        });
      }),
  );
}

/** Which work a command buffer carries. @param {any} own @param {any} scope @param {any} works */
function watchWork(own, scope, works) {
  const passOn = (/** @type {any} */ from, /** @type {any} */ _args, /** @type {any} */ to) =>
    works.set(to, works.get(from));
  own.wrap(
    scope.GPUDevice,
    'createCommandEncoder',
    (/** @type {any} */ _device, /** @type {any} */ _args, /** @type {any} */ encoder) =>
      works.set(encoder, { dispatches: 0, draws: 0 }),
  );
  for (const name of ['beginComputePass', 'beginRenderPass', 'finish']) own.wrap(scope.GPUCommandEncoder, name, passOn);
  const counts = (/** @type {string} */ what) => (/** @type {any} */ pass) => {
    const work = works.get(pass);
    if (work) work[what] += 1;
  };
  for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect'])
    own.wrap(scope.GPUComputePassEncoder, name, counts('dispatches'));
  for (const name of ['draw', 'drawIndexed', 'drawIndirect', 'drawIndexedIndirect', 'executeBundles'])
    own.wrap(scope.GPURenderPassEncoder, name, counts('draws'));
}

/** What is submitted, and what a device has done of it. @param {any} own @param {any} scope @param {any} state */
function watchQueue(own, scope, { works, devices, total, tellWork }) {
  const { submit, onSubmittedWorkDone } = scope.GPUQueue.prototype;
  const complete = (/** @type {any} */ queue, /** @type {any} */ known) => {
    known.waits = true;
    const upTo = total.submits;
    own.after(own.apply(onSubmittedWorkDone, queue, []), () => {
      known.waits = false;
      if (!known.isLost && total.completed < upTo) total.completed = upTo;
      tellWork();
      if (total.submits > upTo && !known.isLost) complete(queue, known);
    });
  };
  /** @this {any} @param {any} buffers */
  function submitted(buffers) {
    const list = own.from(buffers);
    own.apply(submit, this, [list]);
    const known = devices.get(this);
    total.submits += 1;
    if (known?.isLost) total.afterLost += 1;
    for (let at = 0; at < list.length; at += 1) {
      const work = works.get(list[at]);
      total.dispatches += work?.dispatches ?? 0;
      total.draws += work?.draws ?? 0;
    }
    tellWork();
    if (known && !known.isLost && !known.waits) complete(this, known);
  }
  own.replace(scope.GPUQueue, 'submit', submitted);
}
