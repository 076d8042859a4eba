// The house rules about every text file of the repository, and about each package.json.
// What always holds: nothing that is committed names the machine on which it was written.
import { lineAt, type Finding, type Rule } from './rule.ts';

// Put together from parts, so that this file does not find itself.
const machinePaths = new RegExp(String.raw`(?<![\w.$}-])/(?:wo${''}rk|ro${''}ot)/[\w.-]+`, 'g');
const registryHosts = new RegExp(
  String.raw`https?://[\w.-]*(?:regis${''}try|artifac${''}tory|nex${''}us|mirr${''}or)[\w.-]*\.\w+`,
  'g',
);

const noMachinePaths: Rule = {
  name: 'no-machine-paths',
  check: ({ text }) => [
    ...matches(text, machinePaths, (found) => `"${found}" exists on one machine: write it relative to the root`),
    ...matches(
      text,
      registryHosts,
      (found) => `"${found}" is one place's registry: leave it to each machine's npm settings`,
    ),
  ],
};

interface Manifest {
  readonly license?: string;
  readonly type?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifest: Rule = {
  name: 'manifest',
  check: ({ path, text }) => {
    if (!/^(packages\/[\w-]+\/)?package\.json$/.test(path)) return [];
    const fields = JSON.parse(text) as Manifest;
    // The root must be readable by the Node that a machine already has; it only starts the set-up.
    const node = path === 'package.json' ? '>=20' : '>=24';
    const wrong: string[] = [];
    if (fields.license !== 'Apache-2.0') wrong.push('write "license": "Apache-2.0"');
    if (fields.type !== 'module') wrong.push('write "type": "module"');
    if (fields.engines?.node !== node) wrong.push(`write "engines": { "node": "${node}" }`);
    const all = { ...fields.dependencies, ...fields.devDependencies, ...fields.optionalDependencies };
    for (const [name, version] of Object.entries(all)) {
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        wrong.push(`"${name}": "${version}" is not exact: pin one version`);
    }
    return wrong.map((message) => ({ line: 1, message }));
  },
};

function matches(text: string, pattern: RegExp, message: (found: string) => string): Finding[] {
  return [...text.matchAll(pattern)].map((match) => ({ line: lineAt(text, match.index), message: message(match[0]) }));
}

export const repositoryRules: readonly Rule[] = [noMachinePaths, manifest];
