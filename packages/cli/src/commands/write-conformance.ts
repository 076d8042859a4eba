// Writes what the conformance tasks of a run kept as one file: the suites themselves have no tool that merges.
import { writeFile } from 'node:fs/promises';
import type { Client } from '@assay/client';
import { AssayError } from '@assay/protocol';
import { mergeRun } from '../conformance/merge.ts';

export async function writeConformance(client: Client, run: string, file: string): Promise<void> {
  const merged = await mergeRun(client, run, new Date().toISOString());
  try {
    await writeFile(file, `${JSON.stringify(merged)}\n`);
  } catch (error) {
    throw new AssayError('USAGE', `${file} cannot be written: ${String(error)}`);
  }
  process.stderr.write(`wrote ${file}\n`);
}
