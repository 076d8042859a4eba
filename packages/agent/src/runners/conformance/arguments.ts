// What the arguments of both conformance suites have in common: those of every browser suite, `--checkout DIR`, `--expectations FILE`,
// and what the suite itself adds, each with one value. Files are relative to the suite's directory; a checkout that the machine's
// owner names by a variable comes before the suite's own.
import path from 'node:path';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import type { BrowserArguments } from '../browser/arguments.ts';
import type { Environment } from '../runner.ts';

export type ConformanceArguments = Omit<BrowserArguments, 'platform'> & {
  readonly checkout: string;
  readonly expectations: string | null;
};

export type Place = { readonly directory: string; readonly env: Environment; readonly checkoutVariable: string };

export type ParsedArguments<Own extends string> = {
  readonly common: ConformanceArguments;
  readonly own: Partial<Record<Own, string>>;
  readonly positionals: readonly string[];
};

/** The reason where they cannot be understood. */
export function parseConformance<Own extends string>(
  args: readonly string[],
  ownNames: readonly Own[],
  { directory, env, checkoutVariable }: Place,
): ParsedArguments<Own> | string {
  const options = {
    browser: { type: 'string' },
    hardware: { type: 'boolean' },
    flag: { type: 'string', multiple: true },
    checkout: { type: 'string' },
    expectations: { type: 'string' },
  } as const satisfies ParseArgsOptionsConfig;
  const added = Object.fromEntries(ownNames.map((name) => [name, { type: 'string' as const }]));
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { ...added, ...options } });
  } catch (error) {
    return (error as Error).message;
  }
  const { browser, hardware, flag, checkout, expectations, ...own } = parsed.values;
  const named = env[checkoutVariable] || process.env[checkoutVariable] || checkout;
  return {
    common: {
      browser: browser ?? null,
      hardwareOnly: hardware ?? false,
      flags: flag ?? [],
      checkout: path.resolve(directory, named ?? '.'),
      expectations: expectations === undefined ? null : path.resolve(directory, expectations),
    },
    own: own as Partial<Record<Own, string>>,
    positionals: parsed.positionals,
  };
}
