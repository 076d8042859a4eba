// Runs the checks of this machine and its devices: at the start, from time to time, and when the coordinator asks for a
// certification.
//
// What always holds: one check runs at a time; one that needs the machine for itself runs only while nothing else does; every
// certification is answered once, when every check of its device ran, and it passed only if at least one ran and none failed.
// Results are reported when they are news, and otherwise seldom: thousands of workers must not fill a journal with "still well".
import type { CheckOutcome, CheckResult, CheckSpec, WorkerSettings } from '@assay/protocol';
import type { ReportBody } from '../spool/spool.ts';
import { builtInCheck, commandCheck } from './check.ts';
import type { Check, CheckPlace } from './check.ts';

export type CheckerOptions = {
  readonly settings: WorkerSettings;
  readonly place: CheckPlace;
  /** Whether nothing else runs on the machine that this agent started. */
  readonly isIdle: () => boolean;
  readonly report: (body: ReportBody) => void;
  readonly say: (level: 'info' | 'warning', text: string) => void;
};

type Asked = { readonly request: number; readonly device: string | null };
type Entry = { readonly check: Check; dueMs: number };

/** What has not changed is said again after this, so that a reader sees that it is still looked at. */
const repeatAfterMs = 3_600_000;

export class Checker {
  readonly #options: CheckerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #said = new Map<string, { text: string; atMs: number }>();
  #asked: Asked[] = [];
  #timer: NodeJS.Timeout | null = null;
  #isRunning = false;
  /** Something happened since it was last looked at what may run. */
  #isWanted = false;
  #isClosed = false;

  constructor(options: CheckerOptions) {
    this.#options = options;
    const { settings } = options;
    for (const name of settings.builtIn) this.#add(builtInCheck(name, settings.builtInEveryMs));
    for (const spec of settings.checks) this.#add(commandCheck(spec));
  }

  /** Everything is due at once; then each in its own time. */
  start(): void {
    this.#next();
  }

  /** Those of the fleet's settings; the worker's own of the same name go before them. */
  addFleetChecks(specs: readonly CheckSpec[]): void {
    for (const spec of specs) if (!this.#entries.has(spec.name)) this.#add(commandCheck(spec));
    this.#next();
  }

  certify(request: number, device: string | null): void {
    this.#asked.push({ request, device });
    this.#next();
  }

  /** Work began or ended: what waited for an idle machine may run now. */
  workChanged(): void {
    if (this.#asked.length > 0 || this.#isAnyDue()) this.#next();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #add(check: Check): void {
    this.#entries.set(check.name, { check, dueMs: performance.now() });
  }

  #isAnyDue(): boolean {
    const nowMs = performance.now();
    for (const { dueMs } of this.#entries.values()) if (dueMs <= nowMs) return true;
    return false;
  }

  /** Runs what may run now, one after the other, and sets the clock for the rest. */
  #next(): void {
    if (this.#isClosed) return;
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run()
      .catch((error: unknown) => this.#options.say('warning', `the checks could not be run: ${String(error)}`))
      .finally(() => {
        this.#isRunning = false;
        if (this.#isClosed) return;
        if (this.#isWanted) this.#next();
        else this.#arm();
      });
  }

  async #run(): Promise<void> {
    for (;;) {
      const asked = this.#asked.find((one) => this.#mayRun(this.#checksOf(one.device)));
      if (asked !== undefined) {
        // All who ask for the same device at once are answered by the same checks.
        const together = this.#asked.filter(({ device }) => device === asked.device);
        this.#asked = this.#asked.filter((one) => !together.includes(one));
        await this.#certify(together, asked.device);
        continue;
      }
      const nowMs = performance.now();
      const due = [...this.#entries.values()].find((one) => one.dueMs <= nowMs && this.#mayRun([one.check]));
      if (this.#isClosed) return;
      if (due === undefined) {
        if (!this.#isWanted) return;
        this.#isWanted = false;
        continue;
      }
      due.dueMs = due.check.everyMs === 0 ? Infinity : nowMs + due.check.everyMs;
      for (const result of await due.check.run(this.#options.place)) this.#say(result, null);
    }
  }

  async #certify(asked: readonly Asked[], device: string | null): Promise<void> {
    const results: CheckResult[] = [];
    for (const check of this.#checksOf(device)) results.push(...(await check.run(this.#options.place)));
    const own = results.filter((result) => (result.device ?? null) === device);
    const { outcome, message } = conclude(own, device);
    for (const { request } of asked) {
      if (this.#isClosed) return;
      for (const result of own) this.#say(result, request);
      const about = device === null ? {} : { device };
      this.#report({ kind: 'certified', request, ...about, outcome, message });
    }
  }

  /** Those of the device, and those that find out themselves which devices there are. */
  #checksOf(device: string | null): Check[] {
    return [...this.#entries.values()]
      .map(({ check }) => check)
      .filter((check) => check.device === device || (check.isOfManyDevices && device !== null));
  }

  #mayRun(checks: readonly Check[]): boolean {
    return this.#options.isIdle() || checks.every(({ during }) => during === 'always');
  }

  #say(result: CheckResult, request: number | null): void {
    if (this.#isClosed) return;
    const nowMs = performance.now();
    const text = `${result.device ?? ''} ${result.outcome} ${result.outcome === 'passed' ? '' : (result.evidence['message'] ?? '')}`;
    const said = this.#said.get(result.check);
    const isNews = said === undefined || said.text !== text || nowMs - said.atMs >= repeatAfterMs;
    if (!isNews && request === null) return;
    this.#said.set(result.check, { text, atMs: nowMs });
    if (result.outcome === 'failed')
      this.#options.say('warning', `check ${result.check} failed: ${JSON.stringify(result.evidence)}`);
    this.#report({ kind: 'checked', ...result, ...(request === null ? {} : { request }) });
  }

  #report(body: ReportBody): void {
    try {
      this.#options.report(body);
    } catch (error) {
      this.#options.say('warning', `a check cannot be reported: ${String(error)}`);
    }
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const nowMs = performance.now();
    // What is due and waits for an idle machine is woken by workChanged, and by the clock in case nobody tells.
    const dueMs = Math.min(...[...this.#entries.values()].map((one) => Math.max(one.dueMs, nowMs + 1_000)));
    if (!Number.isFinite(dueMs)) return;
    this.#timer = setTimeout(() => this.#next(), Math.min(dueMs - nowMs, 2_000_000_000));
    this.#timer.unref();
  }
}

/** Passed only if something ran and nothing failed. */
export function conclude(
  results: readonly CheckResult[],
  device: string | null,
): { outcome: CheckOutcome; message: string } {
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const passed = results.filter(({ outcome }) => outcome === 'passed');
  const why = (one: CheckResult): string =>
    `${one.check}: ${one.evidence['message'] ?? one.evidence['stderr'] ?? `exit code ${one.evidence['exitCode'] ?? ''}`}`;
  if (failed.length > 0) return { outcome: 'failed', message: failed.map(why).join('; ').slice(0, 4_000) };
  if (passed.length > 0)
    return { outcome: 'passed', message: `passed: ${passed.map(({ check }) => check).join(', ')}`.slice(0, 4_000) };
  const scope = device ?? 'the worker as a whole';
  const reasons = results.map(why).join('; ');
  const message = reasons === '' ? `there is no check of ${scope}` : `no check of ${scope} could run: ${reasons}`;
  return { outcome: 'notRun', message: message.slice(0, 4_000) };
}
