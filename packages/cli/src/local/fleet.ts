// A coordinator in this process with agents as its children: what `assay run` uses without a server, and the demo. Its state
// (history, durations) stays in `stateDir`; where another run of the project holds that, a fresh one is used and said so.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usableProcessors } from '@assay/agent/inspect';
import { createClient } from '@assay/client';
import type { RunningCoordinator } from '@assay/coordinator';
import { dashboardDir } from '@assay/dashboard/built';
import { AssayError } from '@assay/protocol';
import { type AgentChild, type AgentProcess, launchAgent } from './agent-child.ts';
import { errorsOnly } from './errors-only.ts';

const joinTimeoutMs = 30_000;

/**
 * A worker of this machine that dies closes its link, which is seen at once. One that is only silent has no processor, or waits for a
 * disk that others keep busy: to presume it lost would leave a run of this machine without a worker that could take its files.
 */
const patience = { heartbeatMs: 5_000, silentAfterMs: 30_000 };

export type FleetWorker = { name: string; slots: number; declared: Record<string, string | number | boolean> };

export type FleetRequest = {
  stateDir: string;
  /** `equal`: so many workers (null: as many as there are processors) that share the processors; `named`: exactly these. */
  workers: { kind: 'equal'; count: number | null } | { kind: 'named'; list: FleetWorker[] };
  port?: number;
  /** Whether the browsers of this machine are measured: for runs that use them. */
  browsers?: boolean;
  note: (text: string) => void;
};

export type LocalFleet = { url: string; token: string; workers: FleetWorker[]; stop(): Promise<void> };

/** Starts everything and waits until every worker has joined. */
export async function startLocalFleet(request: FleetRequest): Promise<LocalFleet> {
  const token = `assay_local_${randomBytes(32).toString('base64url')}`;
  const workers =
    request.workers.kind === 'named'
      ? request.workers.list
      : equalWorkers(request.workers.count, await usableProcessors());
  // Agents take as long to load as the coordinator does: they do it at the same time. All are on one machine: the first measures it.
  const processes = workers.map((_, index) => launchAgent(index === 0, request.browsers === true));
  const { coordinator, temporary } = await openCoordinator(request, token).catch((error: unknown) => {
    for (const process of processes) process.discard();
    throw error;
  });
  const children: AgentChild[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    await coordinator.stop();
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
  };
  try {
    const agentsDir = join(temporary ?? request.stateDir, 'agents');
    const starting = workers.map(async (worker, index) => {
      const settings = {
        url: coordinator.url,
        token,
        ...worker,
        stateDir: join(agentsDir, directoryName(worker.name)),
        allowDirectories: true,
        reprobeMs: 0,
        // The run is this machine's own: there is nobody else to take the work.
        readingsMs: 0,
      };
      const process = processes[index] as AgentProcess;
      try {
        const measured = index === 0 ? null : await (processes[0] as AgentProcess).measured;
        return await process.start(measured === null ? settings : { ...settings, measured });
      } catch (error) {
        process.discard();
        throw error;
      }
    });
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'fulfilled') children.push(started.value);
    }
    // All are waited for first, so that a failure of one leaves none behind.
    await Promise.all([...starting]);
    await allJoin(coordinator.url, token, children);
    return { url: coordinator.url, token, workers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openCoordinator(
  { stateDir, port, note }: FleetRequest,
  token: string,
): Promise<{ coordinator: RunningCoordinator; temporary: string | null }> {
  // Loaded only now, while the agents load in their own processes.
  const { startCoordinator } = await import('@assay/coordinator');
  const pages = dashboardDir();
  const shared = {
    host: '127.0.0.1',
    port: port ?? 0,
    ownerSecret: token,
    log: errorsOnly(),
    engine: patience,
    ...(pages === undefined ? {} : { dashboardDir: pages }),
  };
  try {
    return { coordinator: await startCoordinator({ ...shared, stateDir }), temporary: null };
  } catch (error) {
    if (!(error instanceof AssayError) || error.code !== 'STATE_IN_USE') throw error;
    note('Another run of this project is going on: this one starts without its history.');
    const temporary = await mkdtemp(join(tmpdir(), 'assay-run-'));
    return { coordinator: await startCoordinator({ ...shared, stateDir: temporary }), temporary };
  }
}

/** Workers that share the processors evenly, at least one slot each. */
export function equalWorkers(count: number | null, processors: number): FleetWorker[] {
  const workers = count ?? Math.max(1, Math.min(processors, 8));
  const slots = Math.max(1, Math.floor(processors / workers));
  return Array.from({ length: workers }, (_, index) => ({ name: `local-${index + 1}`, slots, declared: {} }));
}

/** Until each has said hello: the order in which they are ready is not the order in which they are known. */
async function allJoin(url: string, token: string, children: AgentChild[]): Promise<void> {
  const client = createClient({ url, token });
  const until = Date.now() + joinTimeoutMs;
  for (;;) {
    const { workers } = await client.listWorkers();
    const joined = new Set(
      workers.filter(({ state }) => state === 'ready' || state === 'busy').map(({ name }) => name),
    );
    if (children.every(({ name }) => joined.has(name))) return;
    if (Date.now() > until)
      throw new AssayError(
        'COORDINATOR_UNREACHABLE',
        `The local workers did not join within ${joinTimeoutMs / 1_000} s; their agent.log says why.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const directoryName = (name: string): string => name.replace(/[^A-Za-z0-9._-]+/g, '-');
