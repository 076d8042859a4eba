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
  readonly witness: PageWitness;
  readonly key: string;
  tasks: number;
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
    for (const [stage, timer] of this.#idle) {
      if (stage.key !== key || stage.session.end !== null) continue;
      clearTimeout(timer);
      this.#idle.delete(stage);
      this.#held.add(stage);
      return stage;
    }
    const session = await BrowserSession.start(request);
    try {
      const witness = await PageWitness.attach(session);
      const stage = { session, loopback: await Loopback.start(), witness, key, tasks: 0 };
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
    if (!mayGoOn) return this.discard(stage);
    const timer = setTimeout(() => void this.discard(stage), idleMs);
    timer.unref();
    this.#idle.set(stage, timer);
    // It may end while nobody looks.
    void stage.session.ended.then(() => (this.#idle.has(stage) ? this.discard(stage) : undefined));
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
