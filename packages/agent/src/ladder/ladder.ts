// The steps by which a worker repairs itself or one of its devices, each a real action, timed, and reported once.
//
//   page, browser, gpuProcess  actions on the browsers that no task has; where none is open they are not applicable
//   runner       ends the attempts that the trouble concerns, by force where they do not end, and clears the scratch directory
//   agent        finishes what runs, leaves, and starts this process anew
//   rebootHook, powerHook      commands of the operator's; without one they are not applicable
// Nothing is called done that was not carried out.
import type { AttemptRef, Rung, RungOutcome, WorkerSettings } from '@assay/protocol';
import { evidenceOf, runCommand } from '../checks/run-command.ts';
import type { RecoverRequest } from '../session/session.ts';
import type { ReportBody } from '../spool/spool.ts';
import { readPendingStep, removePendingStep, writePendingStep } from './pending-step.ts';

export type StepEnd = { readonly outcome: RungOutcome; readonly evidence: Record<string, string> };
/** Null where it has nothing to do with this device: the step is then not applicable. */
export type DeviceAction = (device: string | null) => Promise<StepEnd> | null;
export type DeviceRung = Extract<Rung, 'page' | 'browser' | 'gpuProcess'>;

export type LadderOptions = {
  readonly stateDir: string;
  readonly hooks: WorkerSettings['hooks'];
  /** Where hooks run. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends attempts, by force where they do not end; says what it did. */
  readonly endAttempts: (attempts: readonly AttemptRef[], reason: string, onlyPastTimeout: boolean) => Promise<StepEnd>;
  /** Null where nobody would start this process anew. */
  readonly restart: ((reason: string) => void) | null;
  readonly report: (body: ReportBody) => void;
  readonly say: (level: 'info' | 'warning', text: string) => void;
  readonly nowMs: () => number;
};

const notApplicable = (message: string): StepEnd => ({ outcome: 'notApplicable', evidence: { message } });

export class Ladder {
  readonly #options: LadderOptions;
  readonly #actions = new Map<DeviceRung, DeviceAction>();
  #busy: Promise<void> = Promise.resolve();

  constructor(options: LadderOptions) {
    this.#options = options;
  }

  /** A device of this agent (a browser) can be repaired by this step. */
  register(rung: DeviceRung, action: DeviceAction): void {
    this.#actions.set(rung, action);
  }

  /** What an earlier incarnation ended itself for: it was carried out, because we are here. */
  reportPending(): void {
    const { stateDir, nowMs } = this.#options;
    const pending = readPendingStep(stateDir);
    if (pending === null) return;
    const { request, rung, device, startedAtMs } = pending;
    const evidence = { message: 'the agent was started anew' };
    this.#report({ request, rung, device }, { outcome: 'done', evidence }, Math.max(0, nowMs() - startedAtMs));
    removePendingStep(stateDir);
  }

  /** Takes one step, after those that were asked for before. */
  take(request: RecoverRequest): void {
    this.#busy = this.#busy.then(() => this.#take(request));
  }

  async #take(request: RecoverRequest): Promise<void> {
    const startedMs = performance.now();
    const scope = request.device ?? 'the worker';
    this.#options.say('warning', `recovery of ${scope}, step ${request.rung}: ${request.reason}`);
    let end: StepEnd | null;
    try {
      end = await this.#carryOut(request);
    } catch (error) {
      end = { outcome: 'failed', evidence: { message: String(error) } };
    }
    // Null: this process ends, and the next one reports.
    if (end === null) return;
    this.#options.say('info', `step ${request.rung} of ${scope}: ${end.outcome} ${JSON.stringify(end.evidence)}`);
    this.#report(request, end, performance.now() - startedMs);
  }

  #carryOut(request: RecoverRequest): Promise<StepEnd | null> | StepEnd | null {
    const { hooks, endAttempts } = this.#options;
    switch (request.rung) {
      case 'page':
      case 'browser':
      case 'gpuProcess': {
        const action = this.#actions.get(request.rung)?.(request.device ?? null) ?? null;
        return action ?? notApplicable('it has no browser that is open');
      }
      case 'runner':
        return endAttempts(request.attempts, request.reason, request.onlyPastTimeout === true);
      case 'agent':
        return this.#restart(request);
      case 'rebootHook':
        return this.#hook(request, hooks.reboot);
      case 'powerHook':
        return this.#hook(request, hooks.power);
    }
  }

  #restart(request: RecoverRequest): StepEnd | null {
    const { restart } = this.#options;
    if (restart === null) return notApplicable('nobody starts this agent anew when it ends');
    this.#remember(request);
    restart(`step agent of its recovery: ${request.reason}`);
    return null;
  }

  async #hook(request: RecoverRequest, hook: WorkerSettings['hooks']['reboot']): Promise<StepEnd> {
    if (hook === undefined) return notApplicable('the settings have no such hook');
    const { directory, env, stateDir } = this.#options;
    this.#remember(request);
    try {
      const { command, timeoutMs } = hook;
      const ended = await runCommand({
        command,
        timeoutMs,
        directory,
        env: { ...env, ASSAY_RECOVERY_DEVICE: request.device ?? '', ASSAY_RECOVERY_REASON: request.reason },
      });
      const isDone = ended.kind === 'exited' && ended.code === 0;
      return { outcome: isDone ? 'done' : 'failed', evidence: evidenceOf(ended, timeoutMs) };
    } finally {
      removePendingStep(stateDir);
    }
  }

  #remember({ request, rung, device }: RecoverRequest): void {
    const { stateDir, nowMs } = this.#options;
    writePendingStep(stateDir, { request, rung, ...(device === undefined ? {} : { device }), startedAtMs: nowMs() });
  }

  #report(
    { request, rung, device }: { request: number; rung: Rung; device?: string | undefined },
    { outcome, evidence }: StepEnd,
    durationMs: number,
  ): void {
    const about = device === undefined ? {} : { device };
    this.#options.report({ kind: 'recovered', request, rung, ...about, outcome, evidence, durationMs });
  }
}
