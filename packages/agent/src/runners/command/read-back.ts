// Reads back the JUnit XML that a command wrote. The file comes from test code and is treated so: bounded size, no
// DOCTYPE and so no entities of its own, nesting bounded. A file that the command did not write this time is missing.
import { readFile, stat } from 'node:fs/promises';
import { XMLParser } from 'fast-xml-parser';
import { decodeEntities, xmlTrouble } from './well-formed.ts';

export type ReportCase = {
  readonly path: string[];
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  readonly failure?: { message: string; stack?: string };
  readonly line?: number;
};

export type ReadBack =
  | { readonly kind: 'cases'; readonly cases: readonly ReportCase[] }
  | { readonly kind: 'trouble'; readonly code: 'REPORT_MISSING' | 'REPORT_CORRUPT'; readonly reason: string };

const reportBytesMax = 128 * 1024 * 1024;
const depthMax = 40;

/** Identifies one writing of the file; null when it is not there. */
export async function reportStamp(file: string): Promise<string | null> {
  return stat(file, { bigint: true }).then(
    (found) => `${found.ino} ${found.mtimeNs} ${found.size}`,
    () => null,
  );
}

/** The cases of the report, if it was written since `before` was taken. */
export async function readBack(file: string, before: string | null): Promise<ReadBack> {
  const stamp = await reportStamp(file);
  if (stamp === null) return trouble('REPORT_MISSING', `The command did not write ${file}.`);
  if (stamp === before)
    return trouble('REPORT_MISSING', `${file} is older than this run: the command did not write it.`);
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > reportBytesMax)
      return trouble('REPORT_CORRUPT', `${file} has ${size} bytes; at most ${reportBytesMax} are read.`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    return trouble('REPORT_CORRUPT', `${file} cannot be read: ${String(error)}`);
  }
  return parseJUnit(text, file);
}

function trouble(code: 'REPORT_MISSING' | 'REPORT_CORRUPT', reason: string): ReadBack {
  return { kind: 'trouble', code, reason };
}

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
export function parseJUnit(text: string, name: string): ReadBack {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) return trouble('REPORT_CORRUPT', `${name} has a DOCTYPE, which is not read.`);
  const wrong = xmlTrouble(text);
  if (wrong !== null) return trouble('REPORT_CORRUPT', `${name} is not well-formed XML: ${wrong}.`);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    alwaysCreateTextNode: true,
    entityDecoder: plainEntities,
    isArray: (tag) => ['testsuite', 'testcase', 'failure', 'error', 'skipped'].includes(tag),
  });
  let document: unknown;
  try {
    document = parser.parse(text);
  } catch (error) {
    return trouble(
      'REPORT_CORRUPT',
      `${name} cannot be parsed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const root = document as Element;
  const top = isElement(root['testsuites']) ? root['testsuites'] : root;
  if (top === root && !Array.isArray(root['testsuite']))
    return trouble('REPORT_CORRUPT', `${name} has neither testsuites nor testsuite at its top.`);
  const cases: ReportCase[] = [];
  const isWhole = collect(top, [], cases);
  return isWhole
    ? { kind: 'cases', cases }
    : trouble('REPORT_CORRUPT', `${name} nests its suites deeper than ${depthMax}.`);
}

function collect(suite: Element, titles: readonly string[], into: ReportCase[]): boolean {
  if (titles.length > depthMax) return false;
  for (const entry of elements(suite['testcase'])) into.push(caseOf(entry, titles));
  return elements(suite['testsuite']).every((inner) => {
    const title = attribute(inner, 'name');
    return collect(inner, title ? [...titles, title] : titles, into);
  });
}

function caseOf(entry: Element, titles: readonly string[]): ReportCase {
  const className = attribute(entry, 'classname');
  const group = className && className !== titles.at(-1) ? [className] : [];
  const bad = [...elements(entry['failure']), ...elements(entry['error'])][0];
  const seconds = Number(attribute(entry, 'time').replaceAll(',', ''));
  const line = Number.parseInt(attribute(entry, 'line'), 10);
  return {
    path: [...titles, ...group, attribute(entry, 'name') || 'unnamed'],
    status: bad ? 'failed' : entry['skipped'] === undefined ? 'passed' : 'skipped',
    durationMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0,
    ...(bad ? { failure: failureOf(bad) } : {}),
    ...(line >= 0 ? { line } : {}),
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
