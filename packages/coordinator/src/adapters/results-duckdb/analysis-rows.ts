// The rows that statistics are made from, out of DuckDB: each a question of its own .sql file.
import type { AnalysisRows, ExecutionRow, FailureRow, RowsQuery, SampleRow } from '../../ports/analysis.ts';
import type { StatementName } from './statements.ts';

/** Asks a named question; the store gives it, so that nothing is closed under a question. */
export type Ask = <Columns>(name: StatementName, values: Record<string, string | number | null>) => Promise<Columns[]>;

type TestColumns = { project: string; suite: string; target: string; path: string; variant: string };
type ExecutionColumns = TestColumns & {
  revision: string;
  revision_seq: bigint;
  worker: string;
  profile_digest: string;
  failed: number;
  passed: number;
};
type FailureColumns = TestColumns & {
  run: string;
  revision: string;
  at_ms: number;
  profile_digest: string;
  message: string;
  stack: string | null;
};
type SampleColumns = TestColumns & {
  metric: string;
  unit: string;
  direction: SampleRow['direction'];
  profile_digest: string;
  run: string;
  revision: string;
  worker: string;
  value: number | null;
  throttled: number;
};

export function analysisRowsOf(ask: Ask): AnalysisRows {
  const bound = ({ project, runs, limit }: RowsQuery): Record<string, string | number | null> => ({
    project,
    runs,
    limit,
  });
  return {
    async executions(query) {
      const rows = await ask<ExecutionColumns>('analysis-executions', bound(query));
      return rows.map(({ revision, revision_seq, worker, profile_digest, failed, passed, ...test }): ExecutionRow => ({
        ...test,
        path: JSON.parse(test.path) as string[],
        revision,
        revisionSeq: Number(revision_seq),
        worker,
        profileDigest: profile_digest,
        failed,
        passed,
      }));
    },
    async failures(query) {
      const rows = await ask<FailureColumns>('analysis-failures', bound(query));
      return rows.map(({ at_ms, profile_digest, path, ...rest }): FailureRow => ({
        ...rest,
        path: JSON.parse(path) as string[],
        atMs: at_ms,
        profileDigest: profile_digest,
      }));
    },
    async samples(query) {
      const rows = await ask<SampleColumns>('analysis-samples', bound(query));
      return rows.map(({ profile_digest, path, ...rest }): SampleRow => ({
        ...rest,
        path: JSON.parse(path) as string[],
        profileDigest: profile_digest,
      }));
    },
    async profiles() {
      const rows = await ask<{ digest: string; profile: string }>('analysis-profiles', {});
      return new Map(rows.map(({ digest, profile }) => [digest, JSON.parse(profile) as unknown]));
    },
  };
}
