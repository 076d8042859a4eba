// In the page: runs the cases of one query of the WebGPU conformance suite with the suite's own modules, as its standalone
// page does, and tells every case with what its subcases said. `part` of `parts` takes every case of that contiguous part.
import { arrived, tell } from './reporter.mjs';

const state = /** @type {any} */ (globalThis).__assay;
/** @type {{ query: string, part: number, parts: number, skip: string[] }} */
const task = state.task;
const skips = task.skip.map((source) => new RegExp(source, 's'));
/** @param {string} name @returns {Promise<any>} */
const common = (name) => import(`/out/common/${name}.js`);

try {
  const adapter = await /** @type {any} */ (navigator).gpu?.requestAdapter();
  const { vendor, architecture, device, description } = adapter?.info ?? {};
  tell({ kind: 'adapter', name: [vendor, architecture, device, description].filter(Boolean).join(' ') });
  const [{ DefaultTestFileLoader }, { parseQuery }, { Logger }] = await Promise.all(
    ['internal/file_loader', 'internal/query/parseQuery', 'internal/logging/logger'].map(common),
  );
  const leaves = [...(await new DefaultTestFileLoader().loadCases(parseQuery(task.query)))];
  const from = Math.floor((leaves.length * (task.part - 1)) / task.parts);
  const to = Math.floor((leaves.length * task.part) / task.parts);
  const log = new Logger();
  for (const leaf of leaves.slice(from, to)) await runCase(log, leaf);
} catch (error) {
  const known = /** @type {any} */ (error);
  tell({ kind: 'loadError', message: String(known?.message ?? error), stack: String(known?.stack ?? '') });
}
tell({ kind: 'done' });
await arrived();

/** @param {any} log @param {any} leaf */
async function runCase(log, leaf) {
  const name = leaf.query.toString();
  if (skips.some((skip) => skip.test(name)))
    return tell({ kind: 'case', name, status: 'skip', ms: 0, count: leaf.subcaseCount ?? 1, subcases: {}, text: '' });
  const [recorder, result] = log.record(name);
  await leaf.run(recorder, []);
  const lines = (result.logs ?? []).map((/** @type {any} */ line) => line.toJSON());
  tell({ kind: 'case', name, status: result.status, ms: result.timems, ...summary(lines) });
  log.results.delete(name);
}

/** The subcases by their parameters, and what went wrong in words. @param {string[]} lines */
function summary(lines) {
  /** @type {Record<string, string>} */
  const subcases = {};
  /** @type {string[]} */
  const wrong = [];
  for (const line of lines) {
    const [, subcase, level = '', said = ''] =
      /^(?:\(in subcase: (.*?)\) )?([A-Z]+(?: FAILED)?)(?:: ?([^]*))?$/s.exec(line) ?? [];
    const isWrong = /FAILED|EXCEPTION/.test(level);
    if (subcase !== undefined) {
      if (isWrong) subcases[subcase] = 'fail';
      else if (level === 'INFO' && said.startsWith('subcase skipped')) subcases[subcase] ??= 'skip';
      else if (level === 'INFO' && said.startsWith('subcase ran')) subcases[subcase] ??= 'pass';
    }
    if (isWrong) wrong.push(line);
  }
  return { subcases, text: wrong.slice(0, 20).join('\n').slice(0, 16_000) };
}
