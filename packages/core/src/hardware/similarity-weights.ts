// How much each attribute of a worker counts in similarity, as data. The order of size is what a test's outcome and cost
// hang on: which device, then which driver and browser, then how much memory, then where things happen to be installed.
// Every weight is above zero, so that every difference is seen; the first pattern that fits a path gives its weight.

type Weight = { readonly pattern: RegExp; readonly weight: number; readonly why: string };

export const similarityWeights: readonly Weight[] = [
  { pattern: /\.path$/, weight: 0.05, why: 'where a tool lies says little about what it does' },
  { pattern: /\.via$/, weight: 0.05, why: 'which tool measured it' },
  { pattern: /^(gpus|accelerators)\[.*\]\.(vendor|class)$/, weight: 10, why: 'another vendor is another device' },
  { pattern: /^(gpus|accelerators)\[.*\]\.(model|pciId|usbId|migProfile)$/, weight: 5, why: 'the model of a device' },
  { pattern: /^(gpus|accelerators)\[.*\]\.computeCapability$/, weight: 5, why: 'the generation of a GPU' },
  { pattern: /^(gpus|accelerators)\[.*\]\.(driver|driverVersion|firmware)$/, weight: 4, why: 'drivers break tests' },
  { pattern: /^(gpus|accelerators)(\.count|\[.*)/, weight: 3, why: 'memory, APIs and compute units of a device' },
  { pattern: /^apis\./, weight: 3, why: 'API versions' },
  { pattern: /^browsers\[.*\]\.(webgpu|webnn|wasm)\b/, weight: 2, why: 'what a page really gets' },
  { pattern: /^browsers\[.*\]\.(name|channel|version|major)$/, weight: 4, why: 'which browser, and which release' },
  { pattern: /^(browsers|drivers)/, weight: 1, why: 'the rest of a browser, and its driver' },
  { pattern: /^os\.(family|arch)$/, weight: 10, why: 'another system, another processor family' },
  { pattern: /^os\./, weight: 2, why: 'distribution and kernel' },
  { pattern: /^cpu\.(vendor|model)$/, weight: 4, why: 'speed of everything that runs on the CPU' },
  { pattern: /^cpu\.isa$/, weight: 4, why: 'instruction sets change results and speed' },
  { pattern: /^cpu\./, weight: 2, why: 'how many processors' },
  { pattern: /^(memory|cgroup)\./, weight: 2, why: 'memory and limits' },
  { pattern: /^(runtimes|runners)\..*\.(version|major)$/, weight: 2, why: 'which runtime, and which release' },
  { pattern: /^declared\./, weight: 1, why: "the operator's own labels" },
  { pattern: /^(runtimes|runners|container|unknown|pool)/, weight: 0.5, why: 'the rest of the environment' },
];

const otherWeight = 1;
const known = new Map<string, number>();
const knownMax = 10_000;

/** The weight of an attribute by its path; 1 for one that the table does not know. */
export function weightOf(path: string): number {
  const cached = known.get(path);
  if (cached !== undefined) return cached;
  const weight = similarityWeights.find(({ pattern }) => pattern.test(path))?.weight ?? otherWeight;
  // A memory of a pure function; emptied when labels of many names have filled it.
  if (known.size >= knownMax) known.clear();
  known.set(path, weight);
  return weight;
}
