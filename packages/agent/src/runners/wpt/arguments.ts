// The arguments of a `wpt` suite: paths in the checkout (folders or test files), and beside those of every browser suite
// `--platform P`, `--checkout DIR`, `--expectations FILE`, `--timeout-multiplier N`. The checkout is ASSAY_WPT_DIR, else
// `--checkout`, else the suite's own directory.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { platforms } from '../../browsers/hallmark.ts';
import type { BrowserArguments } from '../browser/arguments.ts';
import type { Environment } from '../runner.ts';

export type WptArguments = BrowserArguments & {
  readonly checkout: string;
  readonly paths: readonly string[];
  readonly expectations: string | null;
  /** Of the suite's own time-outs: 10 seconds, or 60 for a long test. */
  readonly timeoutMultiplier: number;
};

/** The reason where they cannot be understood. */
export function wptArguments(args: readonly string[], directory: string, env: Environment): WptArguments | string {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        browser: { type: 'string' },
        platform: { type: 'string' },
        hardware: { type: 'boolean' },
        flag: { type: 'string', multiple: true },
        checkout: { type: 'string' },
        expectations: { type: 'string' },
        'timeout-multiplier': { type: 'string' },
      },
    });
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  const platform = platforms.find((known) => known === (values.platform ?? 'page'));
  if (platform === undefined) return `--platform is one of ${platforms.join(', ')}, not "${values.platform}"`;
  const timeoutMultiplier = Number(values['timeout-multiplier'] ?? 1);
  if (!Number.isFinite(timeoutMultiplier) || timeoutMultiplier <= 0)
    return `--timeout-multiplier is a number above 0, not "${values['timeout-multiplier']}"`;
  if (positionals.some((name) => path.isAbsolute(name) || name.split('/').includes('..')))
    return 'paths are relative to the checkout and stay in it';
  const named = env['ASSAY_WPT_DIR'] || process.env['ASSAY_WPT_DIR'] || values.checkout;
  return {
    platform,
    browser: values.browser ?? null,
    hardwareOnly: values.hardware ?? false,
    flags: values.flag ?? [],
    checkout: path.resolve(directory, named ?? '.'),
    paths: positionals.length === 0 ? ['.'] : positionals,
    expectations: values.expectations === undefined ? null : path.resolve(directory, values.expectations),
    timeoutMultiplier,
  };
}
