// Runner hosts that outlive their batch, so that the next batch of the same suite pays no start. A host may wait here only when
// nothing went wrong in it and nothing was left behind (host-run.ts decides); it is given out again only under the very key
// under which it was kept, which names the run, the suite with its environment, and how the host was started (`warmKey`).
//
// What always holds: a host that waits is one of a slot that has nothing to do, so there are never more hosts than slots; it
// waits for a moment only, because what no batch wants should give its memory back; one that says or writes anything while
// it waits has something going on that no file answers for, and is ended; ending is polite at first, since it runs the
// project's global teardown, and then by force.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { runIdOf } from '@assay/protocol';
import type { Launch } from '../runners/runner.ts';
import type { BatchState } from './batch-state.ts';
import type { HostSession } from './host-session.ts';

/** A slot that ends a batch is given the next one at once, if there is one: more is memory held for nothing. */
const defaultWaitMs = 2_000;
/** A host larger by so much than when it was ready is not kept: its runner keeps something of every file. */
const defaultGrownMiBMax = 512;
/** For global teardowns. */
export const closeGraceMs = 15_000;

type Waiting = { readonly key: string; readonly directory: string; readonly timer: NodeJS.Timeout };

/** What has to be equal for a host to be used by another batch. */
export function warmKey(state: BatchState, launch: Extract<Launch, { kind: 'host' }>): string {
  const { suite, projectDir, tasks } = state.input;
  const runs = [...new Set(tasks.map(({ task }) => runIdOf(task)))];
  const what = { runs, projectDir: path.resolve(projectDir), suite, env: state.env, launch, grace: state.killGraceMs };
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

export class WarmHosts {
  readonly #waiting = new Map<HostSession, Waiting>();
  readonly #closing = new Map<HostSession, Promise<void>>();
  readonly #waitMs: number;
  readonly #grownMiBMax: number;
  #isClosed = false;

  constructor({ waitMs = defaultWaitMs, grownMiBMax = defaultGrownMiBMax } = {}) {
    this.#waitMs = waitMs;
    this.#grownMiBMax = grownMiBMax;
  }

  /** Hosts that wait for a batch. */
  get size(): number {
    return this.#waiting.size;
  }

  /** A host for this key, or null. A slot that takes none begins with a new one: the host that waits longest makes room for it. */
  take(key: string): HostSession | null {
    for (const [session, waiting] of this.#waiting) {
      if (waiting.key !== key) continue;
      this.#forget(session);
      return session;
    }
    const [longest] = this.#waiting.keys();
    if (longest !== undefined) this.#close(longest);
    return null;
  }

  /** Lets a host wait for the next batch; false when it is to be ended instead. */
  keep(session: HostSession, key: string, directory: string): boolean {
    if (this.#isClosed || session.isOver || session.grownMiB > this.#grownMiBMax) return false;
    const timer = setTimeout(() => this.#close(session), this.#waitMs);
    timer.unref();
    this.#waiting.set(session, { key, directory: path.resolve(directory), timer });
    const suspicious = (): void => this.#close(session);
    session.listen({ event: suspicious, corrupt: suspicious, caughtUp: () => undefined, output: suspicious });
    void session.ended.then(() => this.#close(session));
    return true;
  }

  /** Ends those that work in a directory, because it is about to be removed. */
  async closeUnder(directory: string): Promise<void> {
    const inside = `${path.resolve(directory)}${path.sep}`;
    for (const [session, waiting] of [...this.#waiting])
      if (`${waiting.directory}${path.sep}`.startsWith(inside)) this.#close(session);
    await Promise.all(this.#closing.values());
  }

  /** Keeps none any more and ends those that wait or are being ended: politely, or by force. Resolves when they are gone. */
  async close(how: 'politely' | 'by force'): Promise<void> {
    this.#isClosed = true;
    for (const session of [...this.#waiting.keys()]) this.#close(session);
    if (how === 'by force') for (const session of this.#closing.keys()) session.kill();
    await Promise.all(this.#closing.values());
  }

  #forget(session: HostSession): void {
    clearTimeout(this.#waiting.get(session)?.timer);
    this.#waiting.delete(session);
  }

  #close(session: HostSession): void {
    if (!this.#waiting.has(session)) return;
    this.#forget(session);
    this.#closing.set(
      session,
      end(session).finally(() => this.#closing.delete(session)),
    );
  }
}

async function end(session: HostSession): Promise<void> {
  session.end();
  const timer = setTimeout(() => session.kill(), closeGraceMs);
  await session.ended;
  clearTimeout(timer);
  await session.clear();
}
