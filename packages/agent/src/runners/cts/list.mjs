// Lists the tests of queries with the suite's own modules: `node list.mjs CHECKOUT QUERY...` prints JSON, one entry a test
// with its number of cases and subcases, and whether its whole file was asked for. A query below a test is an entry of its
// own, as it stands.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [checkout = '', ...queries] = process.argv.slice(2);
/** @param {string} name @returns {Promise<any>} */
const internal = (name) => import(pathToFileURL(path.join(checkout, 'out/common/internal', `${name}.js`)).href);
const { DefaultTestFileLoader } = await internal('file_loader');
const { parseQuery } = await internal('query/parseQuery');

/** @type {Map<string, { query: string, cases: number, subcases: number, isOfWholeFile: boolean }>} */
const tests = new Map();
for (const text of queries) {
  const parts = text.split(':');
  const isBelowTest = parts.length > 3 && !text.endsWith(':*');
  const isOfWholeFile = parts.length === 2 || (parts.length === 3 && parts[2] === '*');
  for (const leaf of await new DefaultTestFileLoader().loadCases(parseQuery(text))) {
    const { suite, filePathParts, testPathParts } = leaf.query;
    const whole = `${suite}:${filePathParts.join(',')}:${testPathParts.join(',')}:*`;
    const query = isBelowTest ? text : whole;
    const entry = tests.get(query) ?? { query, cases: 0, subcases: 0, isOfWholeFile };
    entry.cases += 1;
    entry.subcases += leaf.subcaseCount ?? 1;
    tests.set(query, entry);
  }
}
process.stdout.write(JSON.stringify([...tests.values()]));
