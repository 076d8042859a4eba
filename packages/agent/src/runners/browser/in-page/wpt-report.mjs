// Served to a page in the place of web-platform-tests' testharnessreport.js, as a classic script: tells every subtest as it
// ends, and at the end what the harness says of the whole page. Frames of the page tell nothing.
(() => {
  const scope = /** @type {any} */ (globalThis);
  if (scope.top !== scope) return;
  const reporter = import('/__assay/reporter.mjs');
  const subtestStatus = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'];
  const harnessStatus = ['OK', 'ERROR', 'TIMEOUT', 'PRECONDITION_FAILED'];
  const tell = (/** @type {object} */ event) => void reporter.then((module) => module.tell(event));
  let begunMs = performance.now();
  scope.setup({ timeout_multiplier: scope.__assay.task.timeoutMultiplier });
  scope.add_result_callback((/** @type {any} */ { name, status, message, stack }) => {
    const nowMs = performance.now();
    const said = { message: String(message ?? ''), stack: String(stack ?? '') };
    tell({ kind: 'subtest', name, status: subtestStatus[status] ?? String(status), ...said, ms: nowMs - begunMs });
    begunMs = nowMs;
  });
  scope.add_completion_callback((/** @type {any} */ _tests, /** @type {any} */ { status, message, stack }) => {
    const said = { message: String(message ?? ''), stack: String(stack ?? '') };
    tell({ kind: 'harness', status: harnessStatus[status] ?? String(status), ...said, ms: performance.now() });
    tell({ kind: 'done' });
  });
})();
