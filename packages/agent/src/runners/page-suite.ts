// What a suite whose tests are pages is to the execution: which browser and evidence it needs, what is served, and which
// page runs a target. The execution (execute/page-run.ts) owns the session, the server, the clocks, the evidence and the
// verdict, so that a new page runner (a conformance suite, say) is one `PageSuite` and its row in registry.ts.
import type { Platform } from '../browsers/hallmark.ts';
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
};

export type PageSuite = {
  /** What a pass of the target has to be shown of. */
  platformOf(target: string): Platform;
  /** `chromium`, `chromium/headless-shell`; null is the first of the worker that has the platform. */
  readonly browser: string | null;
  /** A software adapter will not do. */
  readonly hardwareOnly: boolean;
  /** Flags of the browser beyond the known-good ones. */
  readonly flags: readonly string[];
  readonly routes: readonly Route[];
  /** `reportPath` is where the page posts lists of events; a target that cannot be opened is a load error. */
  open(
    target: string,
    reportPath: string,
  ): Promise<PageTask | { readonly kind: 'loadError'; readonly error: PageError }>;
};
