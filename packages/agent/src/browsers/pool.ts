// The warm sessions of this agent: a browser that ended a task well is used for the next of the same kind, with what the page
// stored cleared, until it has done enough or something went wrong with it. Nobody else has a session.
// What always holds: a session serves one task at a time; one that could not be cleared is closed; `close` ends all.
import { Loopback } from './loopback.ts';
import { PageWitness } from './page-witness.ts';
import { BrowserSession } from './session.ts';
import type { SessionRequest } from './session.ts';

/** A session with its server and witness, in one hand. */
export type Stage = {
  readonly session: BrowserSession;
  readonly loopback: Loopback;
  witness: PageWitness;
  readonly key: string;
  tasks: number;
  /** A step of recovery was asked for while a task had it: it is not used again. */
  isToEnd: boolean;
};

/** The steps of recovery that a browser has, the mildest first. */
export type BrowserStep = 'page' | 'browser' | 'gpuProcess';

/** What became of the sessions that there were. */
export type Repaired = {
  /** Have a new page or GPU process now. */
  readonly renewed: number;
  readonly ended: number;
  /** In use: ended when their task is over. */
  readonly inUse: number;
  /** Why what could not be renewed was ended instead. */
  readonly trouble: readonly string[];
};

const tasksMax = 200;
const idleMs = 30_000;

export class SessionPool {
  readonly #idle = new Map<Stage, NodeJS.Timeout>();
  readonly #held = new Set<Stage>();
  readonly #endings = new Set<Promise<void>>();

  /** A warm session of this kind, else a new one. Throws BrowserStartError. */
  async lease(request: SessionRequest): Promise<Stage> {
    const key = JSON.stringify([
      request.browser,
      request.driverPath,
      request.isSoftware,
      request.flags,
      request.parentDir,
    ]);
    for (const stage of this.#idle.keys()) {
      if (stage.key !== key || stage.session.end !== null) continue;
      this.#take(stage);
      return stage;
    }
    const session = await BrowserSession.start(request);
    try {
      const witness = await PageWitness.attach(session);
      const stage = { session, loopback: await Loopback.start(), witness, key, tasks: 0, isToEnd: false };
      this.#held.add(stage);
      return stage;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Gives a session back; one that is over, or has done enough, is closed. */
  async release(stage: Stage): Promise<void> {
    const mayGoOn = stage.session.end === null && stage.tasks < tasksMax && (await cleared(stage));
    this.#held.delete(stage);
    if (!mayGoOn || stage.isToEnd) return this.discard(stage);
    this.#keep(stage);
    // It may end while nobody looks.
    void stage.session.ended.then(() => (this.#idle.has(stage) ? this.discard(stage) : undefined));
  }

  /**
   * Takes one step of recovery on every session that no task has; a session that does not come out of it well is ended. What a task
   * has is left to it, and ended after it.
   */
  async repair(step: BrowserStep): Promise<Repaired> {
    for (const stage of this.#held) stage.isToEnd = true;
    const inUse = this.#held.size;
    const trouble: string[] = [];
    let renewed = 0;
    const idle = [...this.#idle.keys()];
    for (const stage of idle) this.#take(stage);
    for (const stage of idle) {
      const why = step === 'browser' ? null : await renewalProblem(stage, step);
      if (step === 'browser' || why !== null) {
        if (why !== null) trouble.push(why);
        await this.discard(stage);
        continue;
      }
      renewed += 1;
      this.#held.delete(stage);
      this.#keep(stage);
    }
    return { renewed, ended: idle.length - renewed, inUse, trouble };
  }

  #take(stage: Stage): void {
    clearTimeout(this.#idle.get(stage));
    this.#idle.delete(stage);
    this.#held.add(stage);
  }

  #keep(stage: Stage): void {
    const timer = setTimeout(() => void this.discard(stage), idleMs);
    timer.unref();
    this.#idle.set(stage, timer);
  }

  /** Ends a session for good. */
  async discard(stage: Stage): Promise<void> {
    clearTimeout(this.#idle.get(stage));
    this.#idle.delete(stage);
    this.#held.delete(stage);
    const ending = Promise.all([stage.session.close(), stage.loopback.close().catch(() => {})]).then(() => {
      this.#endings.delete(ending);
    });
    this.#endings.add(ending);
    await ending;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#idle.keys(), ...this.#held].map(async (stage) => this.discard(stage)));
    await Promise.all(this.#endings);
  }
}

/** The agent's own. */
export const sessionPool = new SessionPool();

/** Renews the page or the GPU process of a session; why it could not, or null. */
async function renewalProblem(stage: Stage, step: 'page' | 'gpuProcess'): Promise<string | null> {
  try {
    if (step === 'gpuProcess') await stage.session.renewGpuProcess();
    else {
      await stage.session.renewPage();
      stage.witness = await PageWitness.attach(stage.session);
    }
    return stage.session.end?.message ?? null;
  } catch (error) {
    return String(error);
  }
}

/** Leaves the page, and takes away what it stored: storage, caches, workers, cookies, permissions. */
async function cleared({ session, loopback, witness }: Stage): Promise<boolean> {
  const { cdp, page } = session;
  try {
    loopback.serve([]);
    await cdp.send('Page.navigate', { url: 'about:blank' }, page, 5_000);
    await cdp.send('Storage.clearDataForOrigin', { origin: loopback.origin, storageTypes: 'all' }, page, 5_000);
    await cdp.send('Network.clearBrowserCache', {}, page, 5_000);
    await cdp.send('Browser.resetPermissions', {}, undefined, 5_000);
    witness.onText = () => {};
    witness.onLost = () => {};
    return true;
  } catch {
    return false;
  }
}
