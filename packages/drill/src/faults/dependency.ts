// Dependency faults: the service that a suite uses goes away, answers with errors, or gets slow, and comes back.
import { connect } from 'node:net';
import { type Act, type FleetFault, type Injected, type Proof, proof } from './fault.ts';
import type { ServiceTrouble } from '../world/service.ts';

/** What a client outside sees: the status, or why there is none. */
async function asked(url: string, timeoutMs: number): Promise<string> {
  try {
    const startedMs = performance.now();
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.text();
    return `status ${response.status} after ${Math.round(performance.now() - startedMs)} ms`;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    return cause?.code ?? (error instanceof Error ? error.name : String(error));
  }
}

/** ECONNREFUSED from a socket of our own: nothing listens there. */
function refused(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve('accepted');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function troubled(trouble: ServiceTrouble, look: (act: Act) => Promise<{ saw: string; isSo: boolean }>) {
  return async (act: Act): Promise<Injected> => {
    const mend = act.undo.add('mend the service', () => act.service.mend());
    await act.service.trouble(trouble);
    const { saw, isSo } = await look(act);
    if (!isSo) {
      await mend();
      throw new Error(`the service is as before: ${saw}`);
    }
    const undo = async (): Promise<Proof> => {
      await mend();
      const answer = await asked(act.service.url, 5_000);
      if (!answer.startsWith('status 200')) throw new Error(`the service did not come back: ${answer}`);
      return proof(`GET ${act.service.url}`, answer);
    };
    return { proof: proof(`127.0.0.1:${act.service.port}`, saw), undo };
  };
}

const dependency = {
  kind: 'fleet',
  brings: 0,
  bringsDuring: 2,
  family: 'dependency',
  work: 'service',
  needsWork: false,
  effect: { kind: 'circuit', scope: 'dependency', withinMs: 30_000 },
  holdMs: 700,
} as const;

export const dependencyFaults: readonly FleetFault[] = [
  {
    ...dependency,
    id: 'dependency-down',
    title: 'the service that tests use refuses connections, then comes back',
    inject: troubled({ kind: 'down' }, async ({ service }) => {
      const saw = await refused(service.port);
      return { saw: `connect: ${saw}`, isSo: saw === 'ECONNREFUSED' };
    }),
  },
  {
    ...dependency,
    id: 'dependency-failing',
    title: 'the service that tests use answers 503, then recovers',
    inject: troubled({ kind: 'failing' }, async ({ service }) => {
      const saw = await asked(service.url, 5_000);
      return { saw: `GET: ${saw}`, isSo: saw.startsWith('status 503') };
    }),
  },
  {
    ...dependency,
    id: 'dependency-slow',
    title: 'the service that tests use answers too late, then recovers',
    inject: troubled({ kind: 'slow', lateMs: 8_000 }, async ({ service }) => {
      const saw = await asked(service.url, 2_500);
      return { saw: `GET: ${saw} within 2500 ms`, isSo: !saw.startsWith('status') };
    }),
  },
];
