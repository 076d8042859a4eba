// The real HTTP server over the real shell and engine, with everything behind them in memory: for tests of the wire.
// Results follow the journal here too, and `settled` waits until they have caught up.
import { createEngine, engineDefaults, type Input, type Reply } from '@assay/core';
import type { RunId, RunSpec, Scope, Suite } from '@assay/protocol';
import { createMemoryAuthority } from '../adapters/authority-memory.ts';
import { openFileBlobStore } from '../adapters/blobs-files.ts';
import { createMemoryBlobStore } from '../adapters/blobs-memory.ts';
import { createSystemClock } from '../adapters/clock-system.ts';
import { createMemoryJournal } from '../adapters/journal-memory.ts';
import { createMemoryResultStore } from '../adapters/results-memory.ts';
import type { DriverLimits } from '../driver/driver.ts';
import { createMemoryFeed } from '../feed/live-feed.ts';
import { createHttpServer, type HttpServerOptions } from '../http/server.ts';
import { createShell } from '../shell.ts';

type TestOptions = Partial<Pick<HttpServerOptions, 'auth' | 'timings' | 'tls' | 'host' | 'port' | 'dashboardDir'>> & {
  feedBytesMax?: number;
  /** Blobs in files instead of in memory. */
  blobDirectory?: string;
  limits?: Partial<DriverLimits>;
  /** When the journal's commits happen; at once by default. */
  schedule?: (commit: () => void) => void;
};

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

export async function startTestServer(options: TestOptions = {}) {
  const journal = createMemoryJournal(options.schedule ? { schedule: options.schedule } : {});
  const results = createMemoryResultStore();
  const engine = createEngine(engineDefaults);
  const feed = createMemoryFeed({ startSeq: 0, ...(options.feedBytesMax ? { bytesMax: options.feedBytesMax } : {}) });
  const authority = createMemoryAuthority();
  const blobs =
    options.blobDirectory === undefined ? createMemoryBlobStore() : await openFileBlobStore(options.blobDirectory);
  const logged: { message: string; details: Record<string, unknown> }[] = [];
  let fatal: { error: unknown } | null = null;
  const shell = createShell({
    engine,
    config: engineDefaults,
    journal,
    clock: createSystemClock(),
    feed,
    results,
    onDurable: () => undefined,
    onFatal: (error) => (fatal = { error }),
    followers: () => ({ resultsSeq: 0, resultsError: null, snapshotSeq: null }),
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const server = createHttpServer({
    coordinator: shell,
    blobs,
    authority,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    auth: options.auth ?? 'loopbackOpen',
    log: (message, details = {}) => logged.push({ message, details }),
    ...given(options),
    timings: { busyPollMs: 1, ...options.timings },
  });
  const { url, port } = await server.listen();
  return {
    url,
    port,
    api: `${url}/api/v1`,
    authority,
    blobs,
    engine,
    feed,
    journal,
    logged,
    results,
    shell,
    /** A token's secret. */
    token: async (...scopes: Scope[]) => (await authority.create(scopes.join(' '), scopes)).secret,
    /** Brings the results up to the journal, and tells the engine so, which lets settled runs leave. */
    async catchUp(): Promise<Reply> {
      const entries = await journal.read((await results.appliedSeq()) + 1, 100_000);
      await results.apply(entries);
      const input: Input = { kind: 'resultsAcknowledged', seq: await results.appliedSeq() };
      return shell.submit(input);
    },
    async stop(): Promise<void> {
      await shell.stop();
      await server.close();
      if (fatal !== null) throw new Error('the coordinator failed', { cause: fatal.error });
    },
  };
}

/** What the server is told only where a test says it. */
function given({ tls, dashboardDir }: TestOptions): Pick<HttpServerOptions, 'tls' | 'dashboardDir'> {
  return { ...(tls ? { tls } : {}), ...(dashboardDir ? { dashboardDir } : {}) };
}

export const exampleSuite: Suite = {
  name: 'unit',
  runner: 'vitest',
  directory: '',
  arguments: [],
  env: {},
  secrets: [],
  timeoutMs: 60_000,
  noOutputTimeoutMs: 0,
  requires: '',
  retries: 0,
  batching: 'shared',
};

export const exampleSpec: RunSpec = {
  name: 'example',
  project: 'example',
  priority: 0,
  source: { kind: 'directory', path: '/srv/example' },
  suites: [exampleSuite],
  failFast: false,
  unplaceable: 'wait',
};

/** A submission of `tasks` tasks; the key makes it one of its own. */
export function exampleSubmission(idempotencyKey: string, tasks: number, sealed = true) {
  return {
    idempotencyKey,
    run: exampleSpec,
    tasks: Array.from({ length: tasks }, (_, index) => ({ suite: 0, target: `test/${index}.test.ts` })),
    sealed,
  };
}

export const unknownRun = 'r-unknown777' as RunId;
