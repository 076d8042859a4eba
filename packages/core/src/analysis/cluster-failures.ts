// Failures that are the same one: by their message and stack with everything taken out that differs from run to run. What
// always holds: two failures with one signature are one cluster wherever and whenever they happened, and order does not matter.

/** One failure as it was stored. */
export type Failure = {
  readonly test: string;
  readonly message: string;
  readonly stack: string | null;
  readonly atMs: number;
  readonly run: string;
  readonly revision: string;
  readonly hardware: string;
};

export type Cluster = {
  readonly signature: string;
  /** As the newest of them said it. */
  readonly message: string;
  readonly failures: number;
  readonly tests: readonly string[];
  readonly revisions: readonly string[];
  readonly hardware: readonly string[];
  readonly firstSeen: { readonly atMs: number; readonly run: string };
  readonly lastSeen: { readonly atMs: number; readonly run: string };
};

const messageLinesMax = 3;
const framesMax = 3;
const charsMax = 2_000;

/** What differs from run to run, each by what stands for it. In this order: a UUID holds numbers. */
const replacements: readonly (readonly [RegExp, string])[] = [
  [/\u001b\[[0-9;]*[A-Za-z]/g, ''],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/\b0x[0-9a-f]+\b/gi, '<hex>'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi, '<hex>'],
  [/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g, '<address>'],
  [/(?:file:\/\/)?(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+)+[/\\]([\w.@+~-]+)/g, '<path>/$1'],
  [/[-+]?\b\d+(?:[._,]\d+)*(?:e[-+]?\d+)?/gi, '<n>'],
  [/[ \t]+/g, ' '],
];

export function signatureOf(message: string, stack: string | null): string {
  const lines = normalised(message)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return [...lines.slice(0, messageLinesMax), ...framesOf(stack)].join('\n');
}

const normalised = (text: string): string =>
  replacements.reduce((rest, [pattern, by]) => rest.replaceAll(pattern, by), text.slice(0, charsMax));

/** Function and file of the uppermost frames that are not the runner's or Node's own; places in a file move with every edit. */
function framesOf(stack: string | null): string[] {
  if (stack === null) return [];
  return stack
    .slice(0, charsMax * 4)
    .split('\n')
    .filter((line) => /^\s*(at |File "|❯ )/.test(line) && !/node_modules|node:internal|site-packages/.test(line))
    .slice(0, framesMax)
    .map((line) => normalised(line).trim());
}

/** Most failures first, then by signature. */
export function clusterFailures(failures: readonly Failure[]): Cluster[] {
  const bySignature = new Map<string, Failure[]>();
  for (const failure of failures) {
    const signature = signatureOf(failure.message, failure.stack);
    const list = bySignature.get(signature);
    if (list === undefined) bySignature.set(signature, [failure]);
    else list.push(failure);
  }
  return [...bySignature]
    .map(([signature, list]) => clusterOf(signature, list))
    .sort((a, b) => b.failures - a.failures || (a.signature < b.signature ? -1 : 1));
}

function clusterOf(signature: string, list: readonly Failure[]): Cluster {
  const ordered = list.toSorted((a, b) => a.atMs - b.atMs || (a.run < b.run ? -1 : 1));
  const [first, last] = [ordered[0] as Failure, ordered.at(-1) as Failure];
  const all = (of: (failure: Failure) => string): string[] => [...new Set(ordered.map(of))].sort();
  return {
    signature,
    message: last.message,
    failures: list.length,
    tests: all(({ test }) => test),
    revisions: all(({ revision }) => revision),
    hardware: all(({ hardware }) => hardware),
    firstSeen: { atMs: first.atMs, run: first.run },
    lastSeen: { atMs: last.atMs, run: last.run },
  };
}
