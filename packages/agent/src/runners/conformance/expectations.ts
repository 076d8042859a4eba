// Expectation files: what is known to fail, flicker or be pointless to run, each with its reason. JSON, so that the tools
// of the suites can write them:
//
//   {"expectations": [{"test": "webgpu:api,*", "subtest": "*", "adapter": "*swiftshader*", "expect": "fail", "reason": "issue 12"}]}
//
// `test` is matched against the whole name, `subtest`, `browser` and `adapter` (absent: any) likewise, `*` for any text. The
// last entry that matches counts. A known failure is reported as `todo`, which fails nothing; when it passes, that is a failure, so
// that files do not rot. A `flaky` one may do either. What is skipped never runs, and cannot depend on subtest or adapter.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const pattern = z.string().min(1).max(2_000);
const ExpectationFile = z.strictObject({
  expectations: z
    .array(
      z.strictObject({
        test: pattern,
        subtest: pattern.optional(),
        browser: pattern.optional(),
        adapter: pattern.optional(),
        expect: z.enum(['fail', 'skip', 'flaky']),
        reason: z.string().min(1).max(2_000),
      }),
    )
    .max(100_000),
});

/** A case on its way to the worker's records. */
export type FoundCase = {
  readonly path: readonly string[];
  readonly status: 'passed' | 'failed' | 'skipped' | 'todo';
  readonly durationMs: number;
  readonly failure?: { readonly message: string; readonly stack?: string };
};

export type Expected = { readonly expect: 'fail' | 'skip' | 'flaky'; readonly reason: string };
type Entry = Expected & { readonly [name in 'test' | 'subtest' | 'browser' | 'adapter']: RegExp };
export type Named = {
  readonly test: string;
  readonly subtest: string;
  readonly browser: string;
  readonly adapter: string;
};

export class Expectations {
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** Reads a file; none given is nothing expected. Fails naming the file and what is wrong in it. */
  static async read(file: string | null): Promise<Expectations> {
    if (file === null) return new Expectations([]);
    const parsed = ExpectationFile.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (!parsed.success) throw new Error(`${file} is not a file of expectations: ${z.prettifyError(parsed.error)}`);
    return new Expectations(
      parsed.data.expectations.map(({ test, subtest, browser, adapter, expect, reason }) => ({
        test: glob(test),
        subtest: glob(subtest ?? '*'),
        browser: glob(browser ?? '*'),
        adapter: glob(adapter ?? '*'),
        expect,
        reason,
      })),
    );
  }

  /** Sources of patterns of what is skipped whatever the adapter, which is not known before the page runs. */
  skips(browser: string): string[] {
    return this.#entries
      .filter((entry) => entry.expect === 'skip' && entry.browser.test(browser) && entry.adapter.test(''))
      .map((entry) => entry.test.source);
  }

  find(named: Named): Expected | null {
    return (
      this.#entries.findLast(
        (entry) =>
          entry.test.test(named.test) &&
          entry.subtest.test(named.subtest) &&
          entry.browser.test(named.browser) &&
          entry.adapter.test(named.adapter),
      ) ?? null
    );
  }
}

/** A case as it counts with what was expected of it. */
export function withExpectation(found: FoundCase, expected: Expected | null): FoundCase {
  if (expected === null || expected.expect === 'skip' || found.status === 'skipped' || found.status === 'todo')
    return found;
  if (found.status === 'failed') return { ...found, status: 'todo' };
  if (expected.expect === 'flaky') return found;
  const message = `It passed, and was expected to fail (${expected.reason}): take the expectation out.`;
  return { ...found, status: 'failed', failure: { message } };
}

function glob(text: string): RegExp {
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
}
