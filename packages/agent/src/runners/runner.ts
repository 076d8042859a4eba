// What a runner is to the agent: detection, listing, and how to start its host. A host is one process that has loaded
// the project's own runner once and executes files one at a time; a `command` has no host and is started per target.
// Nothing here runs tests: execution is `execute/`.
import type { RunnerName, Suite } from '@assay/protocol';
import type { PageSuite } from './page-suite.ts';

export type Environment = Readonly<Record<string, string>>;

/** A runner recognised in a project, and by what. */
export type Detection = {
  readonly runner: RunnerName;
  readonly version: string | null;
  readonly why: string;
  readonly configFile?: string;
};

/** Why a runner cannot do what was asked: a code of the error catalogue, and the remedy in the reason. */
export type RunnerRefusal = { readonly kind: 'refused'; readonly code: string; readonly reason: string };

/** Test files relative to the suite's directory, with forward slashes, sorted. */
export type Listing =
  | {
      readonly kind: 'listed';
      readonly targets: readonly string[];
      /** What the suite itself recorded of how long targets take, used while there is no history. */
      readonly expectedMs?: ReadonlyMap<string, number>;
    }
  | RunnerRefusal;

/** How to execute targets: through one host process, one process each, or as pages of a browser. */
export type Launch =
  | {
      readonly kind: 'host';
      readonly command: string;
      readonly arguments: readonly string[];
      readonly env: Environment;
      readonly note?: string;
      /** Whether a host that has run its files may serve the next batch: nothing of one file is then left to meet another. */
      readonly outlivesBatch?: boolean;
    }
  | { readonly kind: 'direct'; readonly argumentsOf: (target: string) => readonly string[] }
  | { readonly kind: 'pages'; readonly suite: PageSuite }
  | RunnerRefusal;

export interface Runner {
  readonly name: RunnerName;
  /** Whether the project uses this runner, by its files alone: nothing is executed. */
  detect(projectDir: string): Promise<Detection | null>;
  /** The targets of a suite; `filters` are substrings of the file or paths, as the runner itself takes them. */
  list(projectDir: string, suite: Suite, filters: readonly string[], env: Environment): Promise<Listing>;
  launch(projectDir: string, suite: Suite, env: Environment): Promise<Launch>;
}
