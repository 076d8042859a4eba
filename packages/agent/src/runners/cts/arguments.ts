// The arguments of a `cts` suite: queries, and beside those of every browser suite `--checkout DIR`, `--expectations FILE`,
// `--durations FILE`, `--chunk-ms N`. The checkout is ASSAY_CTS_DIR, else `--checkout`, else the suite's own directory; paths
// are relative to that directory.
import path from 'node:path';
import type { BrowserArguments } from '../browser/arguments.ts';
import { type ConformanceArguments, parseConformance } from '../conformance/arguments.ts';
import type { Environment } from '../runner.ts';

export type CtsArguments = BrowserArguments &
  ConformanceArguments & {
    readonly queries: readonly string[];
    /** A file of the shape of the suite's own listing_meta.json, over what that says. */
    readonly durations: string | null;
    /** How long a chunk is to take, in milliseconds. */
    readonly chunkMs: number;
  };

const defaultChunkMs = 10_000;

/** The reason where they cannot be understood. */
export function ctsArguments(args: readonly string[], directory: string, env: Environment): CtsArguments | string {
  const place = { directory, env, checkoutVariable: 'ASSAY_CTS_DIR' };
  const parsed = parseConformance(args, ['durations', 'chunk-ms'], place);
  if (typeof parsed === 'string') return parsed;
  const { common, own, positionals } = parsed;
  const chunkMs = Number(own['chunk-ms'] ?? defaultChunkMs);
  if (!Number.isFinite(chunkMs) || chunkMs < 1) return `--chunk-ms is a number of at least 1, not "${own['chunk-ms']}"`;
  return {
    ...common,
    platform: 'webgpu',
    queries: positionals.length === 0 ? ['webgpu:*'] : positionals,
    durations: own.durations === undefined ? null : path.resolve(directory, own.durations),
    chunkMs,
  };
}
