// Executes targets as pages of a browser session that the agent owns: opens each, takes its cases as they come, watches page,
// device, browser and clocks, and before a pass counts reads the evidence (browsers/hallmark.ts) from the same page.
// What always holds: an attempt whose browser was lost says so and not more; a pass without its hallmark is inconclusive;
// what was posted is compared with what the page itself says through WebDriver.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ConformanceResults } from '@assay/protocol';
import { chooseBrowser } from '../browsers/choose.ts';
import { hallmarkLine, lostOfItself, nonceOf, unproven } from '../browsers/hallmark.ts';
import type { Hallmark, Platform } from '../browsers/hallmark.ts';
import { sessionPool } from '../browsers/pool.ts';
import type { BrowserStep, Repaired, Stage } from '../browsers/pool.ts';
import { BrowserStartError } from '../browsers/session.ts';
import type { PageFact, PageSuite, PageTask } from '../runners/page-suite.ts';
import type { Attempt, AttemptEnd } from './attempt.ts';
import type { BatchState } from './batch-state.ts';
import { caseOf, errorOf } from './host-events.ts';
import type { LooseError } from './host-events.ts';
import type { Trouble } from './outcome-rules.ts';
import { settleWanted } from './settle-wanted.ts';
import { watchAttempt } from './watch-attempt.ts';

/** New for every start of the agent. */
const secret = randomBytes(32);
const errorsMax = 50;
const filesMax = 50;
const screenshotDeadlineMs = 10_000;

/** Runs one target in a session; resolves when it is settled. */
export async function runPage(state: BatchState, attempt: Attempt, suite: PageSuite): Promise<void> {
  const { target } = attempt.task;
  const platform = suite.platformOf(target);
  const wish = { browser: suite.browser, platform, hardwareOnly: suite.hardwareOnly };
  const choice = chooseBrowser(state.input.machine ?? { browsers: [], drivers: {} }, wish);
  if (typeof choice === 'string') {
    const message = `No browser of this worker can run ${target}: ${choice}.`;
    return attempt.finish({
      trouble: { code: 'BROWSER_MISSING', class: 'configuration', verdict: 'errored', message },
    });
  }
  await mkdir(attempt.scratch, { recursive: true });
  let stage: Stage;
  try {
    stage = await sessionPool.lease({
      ...choice,
      flags: suite.flags,
      parentDir: path.join(path.resolve(state.input.scratchDir), 'browsers'),
    });
  } catch (error) {
    if (!(error instanceof BrowserStartError)) throw error;
    state.crashes += 1;
    return attempt.finish({
      trouble: { code: 'BROWSER_START_FAILED', class: 'browser', verdict: 'errored', message: error.message },
    });
  }
  // The start of a browser is nobody's test time; what was asked back meanwhile is not begun.
  await settleWanted(state);
  if (attempt.phase !== 'waiting') return sessionPool.release(stage);
  attempt.start();
  const run = new PageRun(state, attempt, suite, platform, stage);
  const end = await run.run();
  const startupMs = stage.tasks === 0 ? stage.session.startMs : undefined;
  stage.tasks += 1;
  if (run.isSpent) {
    if (stage.session.end !== null && attempt.stop === null) state.crashes += 1;
    await sessionPool.discard(stage);
  } else await sessionPool.release(stage);
  await attempt.finish({ ...end, ...(startupMs === undefined ? {} : { startupMs }) });
}

/** Ends the browsers that wait for their next task. */
export async function endSessions(): Promise<void> {
  await sessionPool.close();
}

export async function repairSessions(step: BrowserStep): Promise<Repaired> {
  return sessionPool.repair(step);
}

class PageRun {
  /** The session is not to be used again. */
  isSpent = false;
  readonly #state: BatchState;
  readonly #attempt: Attempt;
  readonly #suite: PageSuite;
  readonly #platform: Platform;
  readonly #stage: Stage;
  readonly #hash = createHash('sha256');
  readonly #errors: LooseError[] = [];
  readonly #files = new Map<string, { body: Buffer; says?: string }>();
  #task: PageTask | null = null;
  /** Before the page was opened. */
  #gpuProcess: number | null = null;
  #hallmark: Hallmark | null = null;
  #events = 0;
  #loadError: LooseError | null = null;
  #noTests: string | null = null;
  #stop: (why: 'done' | 'stopped') => void = () => {};

  constructor(state: BatchState, attempt: Attempt, suite: PageSuite, platform: Platform, stage: Stage) {
    this.#state = state;
    this.#attempt = attempt;
    this.#suite = suite;
    this.#platform = platform;
    this.#stage = stage;
  }

  async run(): Promise<AttemptEnd> {
    const { loopback, witness, session } = this.#stage;
    const token = randomBytes(24).toString('hex');
    const over = new Promise<'done' | 'stopped'>((resolve) => (this.#stop = resolve));
    const watch = watchAttempt(this.#state.input, this.#attempt, () => this.#stop('stopped'));
    this.#state.steer = { wantedChanged: () => this.#steer() };
    this.#steer();
    const flush = setInterval(() => this.#attempt.flush(), 500);
    witness.begin();
    witness.onText = (text) => this.#attempt.output('stdout', Buffer.from(`${text}\n`));
    try {
      const reportPath = loopback.expect(token, (events) => this.#task && this.#take(this.#task, events));
      const { browser } = session.identity;
      const opened = await this.#suite.open(this.#attempt.task.target, { reportPath, browser });
      if ('kind' in opened) {
        this.#learn({ kind: 'loadError', error: opened.error });
        return this.#told();
      }
      this.#task = opened;
      if (this.#suite.evidence === 'device') this.#gpuProcess = await witness.gpuProcess();
      loopback.serve([...opened.routes, ...this.#suite.routes]);
      await session.cdp.send('Page.navigate', { url: loopback.origin + opened.path }, session.page);
      const why = await Promise.race([over, session.ended.then(() => 'gone' as const)]);
      if (why === 'done') return await this.#judged();
      return this.#cutShort();
    } catch (error) {
      this.isSpent = true;
      return session.end === null ? { trouble: stuck(error), ...this.#told() } : this.#cutShort();
    } finally {
      watch.stop();
      clearInterval(flush);
      this.#state.steer = null;
      loopback.forget(token);
    }
  }

  /** Acts on what was asked for meanwhile. */
  #steer(): void {
    if (this.#attempt.wanted?.kind === 'cancel')
      this.#attempt.stop ??= { kind: 'canceled', message: this.#attempt.wanted.reason };
    if (this.#attempt.stop) this.#stop('stopped');
    void settleWanted(this.#state);
  }

  #take(task: PageTask, events: readonly Readonly<Record<string, unknown>>[]): void {
    for (const event of events) {
      this.#events += 1;
      this.#hash.update(`${JSON.stringify(event)}\n`);
      const fact = task.read(event);
      if (fact) this.#learn(fact);
    }
  }

  #learn(fact: PageFact): void {
    switch (fact.kind) {
      case 'case': {
        const found = caseOf(fact.case, this.#state.masker);
        if (!found) this.#attempt.corrupt ??= 'a case has a wrong shape';
        else if (!this.#attempt.addCase(found)) {
          this.#attempt.stop ??= { kind: 'tooManyCases', message: 'The page reported more cases than the limit.' };
          this.#stop('stopped');
        }
        return;
      }
      case 'error':
        if (this.#errors.length < errorsMax) this.#errors.push(...this.#error(fact.error));
        return;
      case 'loadError':
        this.#loadError ??= this.#error(fact.error)[0] ?? null;
        return;
      case 'noTests':
        this.#noTests ??= fact.reason;
        return;
      case 'file':
        if (this.#files.size < filesMax) this.#files.set(fact.name, { body: fact.body });
        return;
      case 'done':
        this.#stop('done');
    }
  }

  #error(error: unknown): LooseError[] {
    const found = errorOf(error, this.#state.masker);
    return found === null ? [] : [found];
  }

  /** The page has said that it is done: now it is asked itself, and the evidence is read. */
  async #judged(): Promise<AttemptEnd> {
    const { session, witness, loopback } = this.#stage;
    const said = (await session.driver.executeScript('return globalThis.__assay?.summary?.()')) as
      | Hallmark['results']
      | null;
    const own = { count: this.#events, digest: this.#hash.digest('hex') };
    if (said?.count !== own.count || said.digest !== own.digest)
      this.#attempt.corrupt ??= `${own.count} events arrived, and the page says ${said?.count ?? 'nothing'} through WebDriver`;
    const { task, attempt } = this.#attempt.ref;
    const nonce = nonceOf(secret, task, attempt);
    const served = loopback.servedDigest();
    const hallmark = await witness.hallmark({ platform: this.#platform, nonce, served, results: own });
    const body = Buffer.from(`${JSON.stringify(hallmark, null, 2)}\n`);
    this.#files.set('hallmark.json', { body, says: hallmarkLine(hallmark) });
    this.#hallmark = hallmark;
    const lost = lostOfItself(hallmark.lost);
    // Where tests lose devices on purpose, a device was lost of itself if the GPU process is another one than before.
    if (lost && (this.#suite.evidence === 'work' || hallmark.gpuProcess !== this.#gpuProcess)) {
      this.isSpent = true;
      return { trouble: deviceLost(lost.reason, lost.message), ...this.#told() };
    }
    if (this.#attempt.counts.failed > 0 || this.#errors.length > 0) await this.#photograph();
    const lack = unproven(hallmark, this.#suite.hardwareOnly, this.#suite.evidence);
    if (lack?.isDevice === true) this.isSpent = true;
    return { unproven: lack, ...this.#told() };
  }

  /** What the page looked like when its tests had failed. A browser that gives no picture costs the picture only. */
  async #photograph(): Promise<void> {
    const { cdp, page } = this.#stage.session;
    const taken = await cdp
      .send('Page.captureScreenshot', { format: 'png' }, page, screenshotDeadlineMs)
      .catch(() => null);
    const body = Buffer.from(typeof taken?.['data'] === 'string' ? taken['data'] : '', 'base64');
    if (body.length > 0 && this.#files.size < filesMax) this.#files.set('screenshot.png', { body });
  }

  /** Browser, page or driver went away, or the attempt was stopped: the session is of no more use. */
  #cutShort(): AttemptEnd {
    this.isSpent = true;
    const { end } = this.#stage.session;
    const lost = lostOfItself(this.#stage.witness.lost);
    const told = this.#told();
    if (this.#attempt.stop) return told;
    if (lost) return { trouble: deviceLost(lost.reason, lost.message), ...told };
    const message = `The browser was lost in the middle of ${this.#attempt.task.target}: ${end?.message ?? 'unknown'}.`;
    return { trouble: { code: end?.code ?? 'BROWSER_GONE', class: 'browser', verdict: 'errored', message }, ...told };
  }

  #told(): AttemptEnd {
    const { browser, browserVersion } = this.#stage.session.identity;
    const results = this.#task?.results?.();
    if (results) {
      const kept = {
        ...results,
        target: this.#attempt.task.target,
        browser: `${browser} ${browserVersion}`,
        ...adapterOf(this.#hallmark),
      } satisfies ConformanceResults;
      this.#files.set('conformance.json', { body: Buffer.from(JSON.stringify(kept)) });
    }
    return {
      loadError: this.#loadError,
      errors: this.#errors,
      noTests: this.#noTests,
      files: this.#files,
      evidence: { browser: `${browser} ${browserVersion}` },
    };
  }
}

function adapterOf(hallmark: Hallmark | null): Pick<ConformanceResults, 'adapter' | 'isSoftware'> {
  const { adapter, isSoftware = null } = hallmark ?? {};
  const names = [adapter?.vendor, adapter?.architecture, adapter?.device, adapter?.description].filter(Boolean);
  return { adapter: adapter === undefined ? null : names.join(' ').slice(0, 500) || 'unnamed', isSoftware };
}

function deviceLost(reason: string, message: string): Trouble {
  const text = `The GPU device was lost under the page (${reason}): ${message}`;
  return { code: 'DEVICE_LOST', class: 'device', verdict: 'errored', message: text };
}

function stuck(error: unknown): Trouble {
  const message = `The browser did not do what was asked: ${String(error)}`;
  return { code: 'BROWSER_STUCK', class: 'browser', verdict: 'errored', message };
}
