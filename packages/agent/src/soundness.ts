// The checks of this machine and the steps of its recovery, put together for the agent. An agent without settings for it (a
// local run's) has no checks of its own and says so when it is asked; the steps of recovery it has all the same.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WorkerSettings } from '@assay/protocol';
import type { CheckSpec } from '@assay/protocol';
import { Checker } from './checks/checker.ts';
import { endAttempts } from './ladder/end-attempts.ts';
import { Ladder } from './ladder/ladder.ts';
import type { Say } from './options.ts';
import type { CertifyRequest, RecoverRequest } from './session/session.ts';
import type { Work } from './slots/work.ts';
import type { ReportBody } from './spool/spool.ts';

export type SoundnessOptions = {
  readonly settings: WorkerSettings | undefined;
  readonly stateDir: string;
  readonly scratchDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly work: () => Work;
  readonly report: (body: ReportBody) => void;
  readonly restart: ((reason: string) => void) | null;
  readonly say: Say;
};

const nothingOwn: WorkerSettings = WorkerSettings.parse({ builtIn: [] });

export class Soundness {
  readonly ladder: Ladder;
  readonly #checker: Checker;

  constructor(options: SoundnessOptions) {
    const { settings = nothingOwn, scratchDir, stateDir, env, work, report, restart, say } = options;
    // No test runs there: clearing up after tests leaves it alone, and it is made again where all is cleared.
    const directory = join(scratchDir, 'checks');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#checker = new Checker({
      settings,
      place: { directory, env },
      isIdle: () => work().size === 0,
      report,
      say,
    });
    this.ladder = new Ladder({
      stateDir,
      hooks: settings.hooks,
      directory,
      env,
      endAttempts: async (attempts, reason, onlyPastTimeout) => {
        const meant = onlyPastTimeout ? work().pastTimeout(attempts) : attempts;
        const message = 'by the clock of this worker no attempt is past its time-out';
        if (onlyPastTimeout && meant.length === 0) return { outcome: 'notApplicable', evidence: { message } };
        return endAttempts(work(), scratchDir, directory, meant, reason);
      },
      restart,
      report,
      say,
      nowMs: () => Date.now(),
    });
  }

  /** Says what an earlier incarnation did, and begins to check. */
  start(): void {
    this.ladder.reportPending();
    this.#checker.start();
  }

  certify({ request, device }: CertifyRequest): void {
    this.#checker.certify(request, device ?? null);
  }

  recover(request: RecoverRequest): void {
    this.ladder.take(request);
  }

  fleetChecks(checks: readonly CheckSpec[]): void {
    this.#checker.addFleetChecks(checks);
  }

  workChanged(): void {
    this.#checker.workChanged();
  }

  close(): void {
    this.#checker.close();
  }
}
