// The outputs of benchmark tools that are read back as cases with measurements, by the names that a suite uses for them.
import type { BenchmarkFormat } from '@assay/protocol';
import { readGoBench } from './go-bench.ts';
import { readGoogleBenchmark } from './google-benchmark.ts';
import { readHyperfine } from './hyperfine.ts';
import { readPytestBenchmark } from './pytest-benchmark.ts';
import type { Reader } from './read-case.ts';
import { readTinybench } from './tinybench.ts';

export const benchmarkReaders: Readonly<Record<BenchmarkFormat, Reader>> = {
  tinybench: readTinybench,
  'pytest-benchmark': readPytestBenchmark,
  'google-benchmark': readGoogleBenchmark,
  hyperfine: readHyperfine,
  'go-bench': readGoBench,
};
