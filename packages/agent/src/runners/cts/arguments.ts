// The arguments of a `cts` suite: queries, and beside those of every browser suite `--checkout DIR`, `--expectations FILE`,
// `--durations FILE`, `--chunk-ms N`. The checkout is ASSAY_CTS_DIR, else `--checkout`, else the suite's own directory; paths
// are relative to that directory.
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BrowserArguments } from '../browser/arguments.ts';
import type { Environment } from '../runner.ts';

export type CtsArguments = BrowserArguments & {
  readonly checkout: string;
  readonly queries: readonly string[];
  readonly expectations: string | null;
  /** A file of the shape of the suite's own listing_meta.json, over what that says. */
  readonly durations: string | null;
  /** How long a chunk is to take, in milliseconds. */
  readonly chunkMs: number;
};

const defaultChunkMs = 10_000;

/** The reason where they cannot be understood. */
export function ctsArguments(args: readonly string[], directory: string, env: Environment): CtsArguments | string {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        browser: { type: 'string' },
        hardware: { type: 'boolean' },
        flag: { type: 'string', multiple: true },
        checkout: { type: 'string' },
        expectations: { type: 'string' },
        durations: { type: 'string' },
        'chunk-ms': { type: 'string' },
      },
    });
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  const chunkMs = Number(values['chunk-ms'] ?? defaultChunkMs);
  if (!Number.isFinite(chunkMs) || chunkMs < 1)
    return `--chunk-ms is a number of at least 1, not "${values['chunk-ms']}"`;
  const at = (name: string | undefined): string | null => (name === undefined ? null : path.resolve(directory, name));
  const named = env['ASSAY_CTS_DIR'] || process.env['ASSAY_CTS_DIR'] || values.checkout;
  return {
    platform: 'webgpu',
    browser: values.browser ?? null,
    hardwareOnly: values.hardware ?? false,
    flags: values.flag ?? [],
    checkout: path.resolve(directory, named ?? '.'),
    queries: positionals.length === 0 ? ['webgpu:*'] : positionals,
    expectations: at(values.expectations),
    durations: at(values.durations),
    chunkMs,
  };
}
