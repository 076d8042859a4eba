// Makes one file of what the tasks of a conformance run kept: results of every task's last attempt, as each told them. What a
// task did not tell is said by name, never left out in silence.
import type { Client } from '@assay/client';
import { AssayError, ConformanceResults } from '@assay/protocol';
import { z } from 'zod';

export const MergedConformance = z.strictObject({
  kind: z.literal('assay-conformance'),
  run: z.string(),
  /** When the run was merged, ISO 8601. */
  date: z.string(),
  parts: z.array(ConformanceResults),
  /** Tasks without results, or with those of a part only, and why. */
  missing: z.array(z.strictObject({ target: z.string(), verdict: z.string(), reason: z.string() })),
});
export type MergedConformance = z.infer<typeof MergedConformance>;

const file = 'conformance.json';
const pageSize = 1_000;
/** Whoever ended so has told all of its tests. */
const complete: readonly string[] = ['passed', 'failed', 'skipped'];

/** The results of a settled run. NO_TESTS_FOUND where none of its tasks is of a conformance suite. */
export async function mergeRun(client: Client, run: string, date: string): Promise<MergedConformance> {
  const merged: MergedConformance = { kind: 'assay-conformance', run, date, parts: [], missing: [] };
  for (let after: string | undefined; ;) {
    const page = await client.listTasks(run, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (const { target, verdict = 'unsettled', attempts } of page.tasks) {
      const last = attempts.at(-1);
      const kept = last?.blobs.find(({ name }) => name === file);
      if (kept) merged.parts.push(await partOf(client, kept.digest));
      if (!kept || !complete.includes(verdict))
        merged.missing.push({ target, verdict, reason: last?.failure?.message ?? 'it kept no results' });
    }
    if (page.next === null) break;
    after = page.next;
  }
  if (merged.parts.length === 0)
    throw new AssayError('NO_TESTS_FOUND', `No task of ${run} kept results of a conformance suite.`);
  return merged;
}

async function partOf(client: Client, digest: string): Promise<ConformanceResults> {
  const text = await new Response(await client.downloadBlob(digest)).text();
  return ConformanceResults.parse(JSON.parse(text));
}
