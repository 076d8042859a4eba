// Two libraries for CEL side by side: how many of the conformance examples of google/cel-spec each gets right, and what parsing and
// evaluating costs. Decides ADR 4. Neither the examples nor the second library are part of this repository: install both somewhere and name the folder:
//   npm install --prefix DIR @marcbachmann/cel-js@8.0.0 @bufbuild/cel@0.6.1
//   node bench/cel/main.ts --libraries DIR
// The examples are those that @bufbuild/cel-spec carries (its upstreamCelSpecRef says of which release). Examples that need protocol
// buffer messages are left out, since requirements have none: they are counted, and not held against anybody.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, printMachine } from '../machine.ts';

type Value = Record<string, unknown>;
type Example = {
  name: string;
  expr: string;
  value?: Value;
  evalError?: unknown;
  bindings?: Record<string, { value?: Value }>;
  container?: string;
  disableMacros?: boolean;
};
type Suite = { name: string; suites?: Suite[]; tests?: { original: Example }[] };
/** The value of an expression as plain data; throws where it has none. */
type Evaluate = (expression: string, bindings: Record<string, unknown>) => unknown;
type Library = {
  name: string;
  evaluate: Evaluate;
  prepare: (expression: string) => (bindings: Record<string, unknown>) => unknown;
};

/** Sections about the language itself; the others are about protocol buffers, or extensions that Assay does not offer. */
const sections = new Set([
  'basic',
  'comparisons',
  'conversions',
  'fields',
  'fp_math',
  'integer_math',
  'lists',
  'logic',
  'macros',
  'parse',
  'plumbing',
  'string',
  'timestamps',
]);

const converted = new WeakMap<object, unknown>();

const requirement =
  'devices.exists(d, d.class == "gpu" && d.vendor == "nvidia" && d.memoryMiB >= 8192) && cpu.count >= 4 && "avx2" in cpu.isa';
const facts = {
  cpu: { count: 8n, isa: ['avx', 'avx2', 'fma', 'sse3'] },
  devices: [
    { class: 'cpu', vendor: 'amd', memoryMiB: 65_536n },
    { class: 'gpu', vendor: 'nvidia', memoryMiB: 15_360n },
  ],
};

const { values: options } = parseArgs({ options: { libraries: { type: 'string' } } });
if (options.libraries === undefined) {
  process.stderr.write('Name the folder with both libraries: --libraries DIR\n');
  process.exit(2);
}
const folder = resolve(options.libraries);
const requireFrom = createRequire(join(folder, 'package.json'));
const load = async (name: string): Promise<unknown> =>
  import(pathToFileURL(requireFrom.resolve(name).replace('/dist/cjs/', '/dist/esm/')).href);

printMachine(describeMachine());
const libraries = [await marcbachmann(), await bufbuild()];
const { tests } = (await load('@bufbuild/cel-spec/testdata/conformance.js')) as { tests: Suite };
const all = tests.suites!.filter(({ name }) => sections.has(name)).flatMap((suite) => examplesOf(suite, suite.name));
const fair = all.filter(({ example }) => !needsMessages(example));
console.log(
  `conformance examples of ${sections.size} sections: ${all.length}, of which ${all.length - fair.length} need protocol buffers`,
);
for (const library of libraries) conformance(library);
for (const library of libraries) speed(library);

type Verdict = 'right' | 'refused' | 'otherValue';

/** A refusal is seen by whoever wrote the expression; another value is not, and weighs more. */
function conformance({ name, evaluate }: Library): void {
  const wrong = new Map<string, string[]>();
  let refused = 0;
  let otherValue = 0;
  for (const { section, example } of fair) {
    const verdict = verdictOf(evaluate, example);
    if (verdict === 'right') continue;
    if (verdict === 'refused') refused += 1;
    else otherValue += 1;
    const said = verdict === 'refused' ? example.name : `${example.name} (another value: ${example.expr})`;
    wrong.set(section, [...(wrong.get(section) ?? []), said]);
  }
  const right = fair.length - refused - otherValue;
  const percent = ((100 * right) / fair.length).toFixed(1);
  console.log(
    `\n${name}: ${right} of ${fair.length} right (${percent} %), ${refused} refused, ${otherValue} with another value`,
  );
  for (const [section, names] of wrong) console.log(`  ${section}: ${names.length} wrong: ${names.join(', ')}`);
}

function verdictOf(evaluate: Evaluate, example: Example): Verdict {
  const bindings = Object.fromEntries(
    Object.entries(example.bindings ?? {}).map(([name, { value }]) => [name, plain(value ?? {})]),
  );
  let met: unknown;
  try {
    met = evaluate(example.expr, bindings);
  } catch {
    return example.evalError === undefined ? 'refused' : 'right';
  }
  if (example.evalError !== undefined) return 'otherValue';
  const wanted = canonical(example.value === undefined ? true : plain(example.value));
  return canonical(met) === wanted ? 'right' : 'otherValue';
}

type Held = { values?: Value[]; entries?: { key: Value; value: Value }[] };

/** A value of the examples' JSON as JavaScript has it. Unsigned numbers are marked, as both libraries mark them. */
function plain(value: Value): unknown {
  const [[kind, held] = ['nullValue', null]] = Object.entries(value);
  const text = String(held as string | number | boolean | null);
  switch (kind) {
    case 'int64Value':
      return BigInt(text);
    case 'uint64Value':
      return { unsigned: BigInt(text) };
    case 'doubleValue':
      return Number(text);
    case 'bytesValue':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case 'listValue':
      return ((held as Held).values ?? []).map(plain);
    case 'mapValue':
      return new Map(((held as Held).entries ?? []).map((entry) => [plain(entry.key), plain(entry.value)]));
    case 'typeValue':
      return { type: text };
    case 'nullValue':
      return null;
    default:
      return held;
  }
}

/** One text for one value, whichever library it is from. */
function canonical(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint') return `int ${value}`;
  if (typeof value === 'number') return `double ${Object.is(value, -0) ? 0 : value}`;
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `time ${value.toISOString()}`;
  if (isUnsigned(value)) return `uint ${value.unsigned}`;
  const { type } = value as { type?: unknown };
  if (typeof type === 'string') return `type ${type}`;
  const entries: [unknown, unknown][] | null =
    value instanceof Map ? [...value] : value.constructor === Object ? Object.entries(value) : null;
  if (entries !== null)
    return `{${entries
      .map(([key, member]) => `${canonical(key)}: ${canonical(member)}`)
      .sort()
      .join(', ')}}`;
  return typeof value === 'object' && Symbol.iterator in value
    ? `[${[...(value as Iterable<unknown>)].map(canonical).join(', ')}]`
    : JSON.stringify(value);
}

function needsMessages(example: Example): boolean {
  const text = JSON.stringify([example.value ?? null, example.bindings ?? null]);
  return text.includes('@type') || text.includes('objectValue') || /google\.|cel\.expr|TestAllTypes/.test(example.expr);
}

function examplesOf(suite: Suite, section: string): { section: string; example: Example }[] {
  return [
    ...(suite.tests ?? []).map(({ original }) => ({ section, example: original })),
    ...(suite.suites ?? []).flatMap((inner) => examplesOf(inner, section)),
  ];
}

function speed({ name, prepare }: Library): void {
  const program = prepare(requirement);
  if (program(facts) !== true) throw new Error(`${name} does not say that the requirement fits`);
  const parseNs = medianNs(2_000, () => prepare(requirement));
  const evaluateNs = medianNs(20_000, () => program(facts));
  console.log(
    `\n${name}: parse ${(parseNs / 1_000).toFixed(1)} us, evaluate ${(evaluateNs / 1_000).toFixed(2)} us (median of 9 rounds)`,
  );
}

function medianNs(rounds: number, work: () => unknown): number {
  for (let at = 0; at < rounds; at += 1) work();
  const samples = Array.from({ length: 9 }, () => {
    const before = process.hrtime.bigint();
    for (let at = 0; at < rounds; at += 1) work();
    return Number(process.hrtime.bigint() - before) / rounds;
  });
  return samples.sort((a, b) => a - b)[4] ?? Number.NaN;
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version;
}

/** Unsigned numbers of the examples as the library has them; everything else as it is. */
function withUnsigned(bindings: Record<string, unknown>, make: (value: bigint) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(bindings).map(([key, value]) => [key, isUnsigned(value) ? make(value.unsigned) : value]),
  );
}

function isUnsigned(value: unknown): value is { unsigned: bigint } {
  return typeof (value as { unsigned?: unknown } | null)?.unsigned === 'bigint';
}

/** What of `@marcbachmann/cel-js` is called here. */
type MarcbachmannCel = {
  Environment: new (options: object) => {
    evaluate: (expression: string, bindings?: object) => unknown;
    parse: (expression: string) => (bindings: object) => unknown;
  };
};

async function marcbachmann(): Promise<Library> {
  const name = '@marcbachmann/cel-js';
  const { Environment } = (await load(name)) as MarcbachmannCel;
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
  const Unsigned = (environment.evaluate('1u') as object).constructor as new (value: bigint) => { value: bigint };
  const outward = (value: unknown): unknown => {
    if (value instanceof Unsigned) return { unsigned: BigInt(value.value) };
    if (value?.constructor?.name === 'Type') {
      const type = (value as { name: string }).name;
      return { type: type === 'null' ? 'null_type' : type };
    }
    if (Array.isArray(value)) return value.map(outward);
    if (value instanceof Map) return new Map([...value].map(([key, member]) => [outward(key), outward(member)]));
    return value;
  };
  return {
    name: `${name} ${versionOf(name)}`,
    evaluate: (expression, bindings) =>
      outward(
        environment.evaluate(
          expression,
          withUnsigned(bindings, (value) => new Unsigned(value)),
        ),
      ),
    prepare: (expression) => environment.parse(expression),
  };
}

/** What of `@bufbuild/cel` is called here; neither library is a dependency of this script, so their types are not here either. */
type BufbuildCel = Record<'run' | 'parse' | 'celUint', (...given: unknown[]) => unknown> & {
  celEnv: () => unknown;
  plan: (environment: unknown, parsed: unknown) => (bindings: unknown) => unknown;
  isCelError: (value: unknown) => boolean;
  isCelUint: (value: unknown) => value is { value: bigint };
  isCelType: (value: unknown) => value is { name: string };
  isCelList: (value: unknown) => value is Iterable<unknown>;
  isCelMap: (value: unknown) => value is Iterable<[unknown, unknown]>;
};

async function bufbuild(): Promise<Library> {
  const name = '@bufbuild/cel';
  const cel = (await load(name)) as BufbuildCel;
  const environment = cel.celEnv();
  const outward = (value: unknown): unknown => {
    if (cel.isCelUint(value)) return { unsigned: value.value };
    if (cel.isCelType(value)) return { type: value.name };
    if (cel.isCelList(value)) return [...value].map(outward);
    if (cel.isCelMap(value)) return new Map([...value].map(([key, member]) => [outward(key), outward(member)]));
    return value;
  };
  const given = (value: unknown): unknown => (cel.isCelError(value) ? raise(value) : value);
  return {
    name: `${name} ${versionOf(name)}`,
    evaluate: (expression, bindings) =>
      outward(
        given(
          cel.run(
            expression,
            withUnsigned(bindings, (value) => cel.celUint(value)),
          ),
        ),
      ),
    prepare: (expression) => {
      const program = cel.plan(environment, cel.parse(expression));
      // It takes maps and lists of its own, or Map and arrays.
      return (bindings) => given(program(asMaps(bindings)));
    },
  };
}

/** Objects as Map, once for each: what this library takes for a map. */
function asMaps(bindings: Record<string, unknown>): unknown {
  const known = converted.get(bindings);
  if (known !== undefined) return known;
  const deep = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(deep);
    if (typeof value !== 'object' || value === null) return value;
    return new Map(Object.entries(value).map(([key, member]) => [key, deep(member)]));
  };
  const made = Object.fromEntries(Object.entries(bindings).map(([key, value]) => [key, deep(value)]));
  converted.set(bindings, made);
  return made;
}

function raise(error: unknown): never {
  throw error;
}
