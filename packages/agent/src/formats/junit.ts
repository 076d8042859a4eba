// JUnit XML as its many writers write it: suites nested or not, times with or without thousands, the file of a case as an
// attribute or not at all. It comes from test code and is treated so: no DOCTYPE and so no entities of its own, nesting bounded,
// a text that is not whole is refused.
import { XMLParser } from 'fast-xml-parser';
import { corrupt, type ReadCase, type ReadReport } from './read-case.ts';
import { decodeEntities, xmlTrouble } from './well-formed.ts';

const depthMax = 40;

/** No entities but XML's own, whatever the document declares. */
const plainEntities = {
  setExternalEntities: (): void => {},
  addInputEntities: (): void => {},
  reset: (): void => {},
  setXmlVersion: (): void => {},
  decode: decodeEntities,
};

type Element = { readonly [name: string]: unknown };

/** Cases of a JUnit document, suites nested to any sensible depth. */
export function parseJUnit(text: string, name: string): ReadReport {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) return corrupt(`${name} has a DOCTYPE, which is not read.`);
  const wrong = xmlTrouble(text);
  if (wrong !== null) return corrupt(`${name} is not well-formed XML: ${wrong}.`);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    alwaysCreateTextNode: true,
    entityDecoder: plainEntities,
    isArray: (tag) => repeated.has(tag),
  });
  let document: unknown;
  try {
    document = parser.parse(text);
  } catch (error) {
    return corrupt(`${name} cannot be parsed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const root = document as Element;
  const top = isElement(root['testsuites']) ? root['testsuites'] : root;
  if (top === root && !Array.isArray(root['testsuite']))
    return corrupt(`${name} has neither testsuites nor testsuite at its top.`);
  const cases: ReadCase[] = [];
  const isWhole = collect(top, { titles: [], file: '' }, cases);
  if (!isWhole) return corrupt(`${name} nests its suites deeper than ${depthMax}.`);
  const startedAtMs = Date.parse(
    attribute(top, 'timestamp') || attribute(elements(top['testsuite'])[0] ?? {}, 'timestamp'),
  );
  return { kind: 'cases', cases, ...(Number.isFinite(startedAtMs) ? { startedAtMs } : {}) };
}

const repeated = new Set([
  ...['testsuite', 'testcase', 'failure', 'error', 'skipped'],
  // Surefire's own of repeated tests: those of one that passed in the end, and those of one that never did.
  ...['flakyFailure', 'flakyError', 'rerunFailure', 'rerunError'],
]);

type Around = { titles: readonly string[]; file: string };

function collect(suite: Element, around: Around, into: ReadCase[]): boolean {
  if (around.titles.length > depthMax) return false;
  for (const entry of elements(suite['testcase'])) into.push(caseOf(entry, around));
  return elements(suite['testsuite']).every((inner) => {
    const title = attribute(inner, 'name');
    const file = attribute(inner, 'file') || around.file;
    return collect(inner, { titles: title ? [...around.titles, title] : around.titles, file }, into);
  });
}

function caseOf(entry: Element, { titles, file }: Around): ReadCase {
  const className = attribute(entry, 'classname');
  const group = className && className !== titles.at(-1) ? [className] : [];
  const bad = [...elements(entry['failure']), ...elements(entry['error'])][0];
  const seconds = Number(attribute(entry, 'time').replaceAll(',', ''));
  const line = Number.parseInt(attribute(entry, 'line'), 10);
  const target = attribute(entry, 'file') || file;
  const repeats = ['flakyFailure', 'flakyError', 'rerunFailure', 'rerunError'].reduce(
    (sum, tag) => sum + elements(entry[tag]).length,
    0,
  );
  return {
    path: [...titles, ...group, attribute(entry, 'name') || 'unnamed'],
    status: bad ? 'failed' : entry['skipped'] === undefined ? 'passed' : 'skipped',
    durationMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0,
    ...(bad ? { failure: failureOf(bad) } : {}),
    ...(line >= 0 ? { line } : {}),
    ...(repeats > 0 ? { runnerRetries: repeats } : {}),
    ...(target === '' ? {} : { target }),
  };
}

function failureOf(bad: Element): { message: string; stack?: string } {
  const body = typeof bad['#text'] === 'string' ? bad['#text'].trim() : '';
  const message = attribute(bad, 'message') || body.split('\n')[0] || attribute(bad, 'type') || 'failed';
  return body ? { message, stack: body } : { message };
}

function elements(value: unknown): Element[] {
  return Array.isArray(value) ? value.map((entry) => (isElement(entry) ? entry : {})) : [];
}

function isElement(value: unknown): value is Element {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function attribute(element: Element, name: string): string {
  const value = element[`@${name}`];
  return typeof value === 'string' ? value : '';
}
