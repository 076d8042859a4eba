// The truth of whether a simulated machine and its GPU are sound, and how its agent finds out and repairs: the checks and
// the ladder of agent/src/checks and agent/src/ladder, in virtual time over a planted truth instead of programs.
// A machine of which nothing was planted has no checks and says so.
import type { AttemptRef, CheckOutcome, CoordinatorMessage, Rung } from '@assay/protocol';
import type { ReportBody } from '@assay/agent/simulation';
import type { World } from '../sim/world.ts';

/** What mends a planted trouble: a step of recovery, or only time. */
export type Cure = Extract<Rung, 'runner' | 'agent' | 'rebootHook'> | 'time';
type Certify = Extract<CoordinatorMessage, { kind: 'certify' }>;
type Recover = Extract<CoordinatorMessage, { kind: 'recover' }>;
type PendingStep = Pick<Recover, 'request' | 'rung' | 'device'> & { startedAtMs: number };

export type SoundnessHost = {
  readonly world: World;
  readonly name: string;
  /** Timers of the process that runs now: gone with it. */
  readonly after: (delayMs: number, act: () => void) => void;
  readonly report: (body: ReportBody) => void;
  readonly endAttempts: (attempts: readonly AttemptRef[], reason: string) => void;
  /** Ends the process in order, and starts it anew. */
  readonly restart: () => void;
  /** Cuts the machine's power, and starts it again. */
  readonly reboot: () => void;
};

const checkEveryMs = 2_000;
const checkMs = 30;
const stepMs = 200;

export class SimSoundness {
  readonly #host: SoundnessHost;
  /** Devices that were ever planted with trouble: they are checked. Null is the whole machine. */
  readonly everUnsound = new Set<string | null>();
  readonly #unsound = new Map<string | null, Cure>();
  readonly #said = new Map<string, CheckOutcome>();
  /** On its disk. */
  #pending: PendingStep | null = null;

  constructor(host: SoundnessHost) {
    this.#host = host;
  }

  isSound(device: string | null): boolean {
    return !this.#unsound.has(device);
  }

  break(device: string | null, cure: Cure): void {
    this.#host.world.trace(this.#host.name, `${device ?? 'the machine'} is unsound, cured by ${cure}`);
    const isFirst = this.everUnsound.size === 0;
    this.everUnsound.add(device);
    this.#unsound.set(device, cure);
    if (isFirst) this.#host.after(checkMs, () => this.#look());
  }

  mend(device: string | null): void {
    if (this.#unsound.delete(device))
      this.#host.world.trace(this.#host.name, `${device ?? 'the machine'} is sound again`);
  }

  /** A new process: what the old one ended itself for is reported, and nothing that it said counts. */
  started(): void {
    this.#said.clear();
    if (this.#pending !== null) {
      const { request, rung, device, startedAtMs } = this.#pending;
      this.#pending = null;
      this.#cure(device ?? null, rung);
      this.#recovered({ request, rung, device }, 'done', this.#host.world.nowMs - startedAtMs);
    }
    if (this.everUnsound.size > 0) this.#host.after(checkMs, () => this.#look());
  }

  certify({ request, device }: Certify): void {
    this.#host.after(checkMs, () => {
      const scope = device ?? null;
      const about = device === undefined ? {} : { device };
      const isChecked = this.everUnsound.has(scope);
      const outcome: CheckOutcome = !isChecked ? 'notRun' : this.isSound(scope) ? 'passed' : 'failed';
      if (isChecked) this.#check(scope, request);
      this.#host.report({ kind: 'certified', request, ...about, outcome, message: outcome });
    });
  }

  recover(request: Recover): void {
    const { rung, device } = request;
    if (rung === 'page' || rung === 'browser' || rung === 'gpuProcess' || rung === 'powerHook')
      return this.#recovered(request, 'notApplicable', 0);
    // Nothing here runs past its time-out; the coordinator's clock may have jumped.
    if (request.onlyPastTimeout === true) return this.#recovered(request, 'notApplicable', 0);
    if (rung === 'runner') {
      this.#host.endAttempts(request.attempts, request.reason);
      return this.#host.after(stepMs, () => {
        this.#cure(device ?? null, rung);
        this.#recovered(request, 'done', stepMs);
      });
    }
    this.#pending = { request: request.request, rung, device, startedAtMs: this.#host.world.nowMs };
    if (rung === 'agent') this.#host.restart();
    else this.#host.reboot();
  }

  #cure(device: string | null, rung: Rung): void {
    if (this.#unsound.get(device) === rung) this.mend(device);
  }

  #look(): void {
    for (const device of this.everUnsound) this.#check(device, null);
    this.#host.after(checkEveryMs, () => this.#look());
  }

  /** One result; said when it is news or was asked for, as the real checker does. */
  #check(device: string | null, request: number | null): void {
    const check = `check of ${device === null ? 'machine' : 'gpu'}`;
    const outcome = this.isSound(device) ? 'passed' : 'failed';
    if (request === null && this.#said.get(check) === outcome) return;
    this.#said.set(check, outcome);
    this.#host.report({
      kind: 'checked',
      check,
      ...(device === null ? {} : { device }),
      outcome,
      evidence: { message: outcome },
      durationMs: checkMs,
      ...(request === null ? {} : { request }),
    });
  }

  #recovered(
    { request, rung, device }: Pick<Recover, 'request' | 'rung' | 'device'>,
    outcome: 'done' | 'notApplicable',
    durationMs: number,
  ): void {
    const about = device === undefined ? {} : { device };
    this.#host.report({ kind: 'recovered', request, rung, ...about, outcome, evidence: {}, durationMs });
  }
}
