// What a suite whose tests are pages is to the execution: which browser and evidence it needs, what is served, and which
// page runs a target. The execution (execute/page-run.ts) owns the session, the server, the clocks, the evidence and the
// verdict, so that a new page runner (a conformance suite, say) is one `PageSuite` and its row in registry.ts.
import type { ConformanceResults } from '@assay/protocol';
import type { PassEvidence, Platform } from '../browsers/hallmark.ts';
import type { Route } from '../browsers/loopback.ts';

export type PageError = { readonly message: string; readonly stack?: string };

/** What the page told, in the words of the execution. A case has the shape that runner hosts report. */
export type PageFact =
  | { readonly kind: 'case'; readonly case: unknown }
  | { readonly kind: 'loadError'; readonly error: PageError }
  | { readonly kind: 'error'; readonly error: PageError }
  | { readonly kind: 'noTests'; readonly reason: string }
  | { readonly kind: 'file'; readonly name: string; readonly body: Buffer }
  /** Nothing more comes. */
  | { readonly kind: 'done' };

/** One target, ready to be opened. */
export type PageTask = {
  /** Address of the page on the session's own origin, with a leading slash. */
  readonly path: string;
  /** Served for this target, before the suite's own routes. */
  readonly routes: readonly Route[];
  /** What one posted event means; events that are none of this suite's mean nothing. */
  read(event: Readonly<Record<string, unknown>>): PageFact | null;
  /** Of a conformance suite: what was read so far, in the suite's own words; kept with the attempt. */
  results?(): Pick<ConformanceResults, 'suite' | 'revision' | 'results'>;
};

/** Where a target is opened. */
export type PagePlace = {
  /** Where the page posts lists of events. */
  readonly reportPath: string;
  /** `chromium`, `chromium/headless-shell`. */
  readonly browser: string;
};

export type PageSuite = {
  /** What a pass of the target has to be shown of. */
  platformOf(target: string): Platform;
  readonly evidence: PassEvidence;
  /** `chromium`, `chromium/headless-shell`; null is the first of the worker that has the platform. */
  readonly browser: string | null;
  /** A software adapter will not do. */
  readonly hardwareOnly: boolean;
  /** Flags of the browser beyond the known-good ones. */
  readonly flags: readonly string[];
  readonly routes: readonly Route[];
  /** A target that cannot be opened is a load error. */
  open(target: string, place: PagePlace): Promise<PageTask | { readonly kind: 'loadError'; readonly error: PageError }>;
};
