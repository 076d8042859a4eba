// The arguments of a `wpt` suite: paths in the checkout (folders or test files), and beside those of every browser suite
// `--platform P`, `--checkout DIR`, `--expectations FILE`, `--timeout-multiplier N`. The checkout is ASSAY_WPT_DIR, else
// `--checkout`, else the suite's own directory.
import path from 'node:path';
import { platforms } from '../../browsers/hallmark.ts';
import type { BrowserArguments } from '../browser/arguments.ts';
import { type ConformanceArguments, parseConformance } from '../conformance/arguments.ts';
import type { Environment } from '../runner.ts';

export type WptArguments = BrowserArguments &
  ConformanceArguments & {
    readonly paths: readonly string[];
    /** Of the suite's own time-outs: 10 seconds, or 60 for a long test. */
    readonly timeoutMultiplier: number;
  };

/** The reason where they cannot be understood. */
export function wptArguments(args: readonly string[], directory: string, env: Environment): WptArguments | string {
  const place = { directory, env, checkoutVariable: 'ASSAY_WPT_DIR' };
  const parsed = parseConformance(args, ['platform', 'timeout-multiplier'], place);
  if (typeof parsed === 'string') return parsed;
  const { common, own, positionals } = parsed;
  const platform = platforms.find((known) => known === (own.platform ?? 'page'));
  if (platform === undefined) return `--platform is one of ${platforms.join(', ')}, not "${own.platform}"`;
  const timeoutMultiplier = Number(own['timeout-multiplier'] ?? 1);
  if (!Number.isFinite(timeoutMultiplier) || timeoutMultiplier <= 0)
    return `--timeout-multiplier is a number above 0, not "${own['timeout-multiplier']}"`;
  if (positionals.some((name) => path.isAbsolute(name) || name.split('/').includes('..')))
    return 'paths are relative to the checkout and stay in it';
  return { ...common, platform, paths: positionals.length === 0 ? ['.'] : positionals, timeoutMultiplier };
}
