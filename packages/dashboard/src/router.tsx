// The addresses. Every state worth sharing is in them: what is filtered, sorted, searched and opened.
import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { z } from 'zod';
import { Shell } from './shell.tsx';
import { CircuitPage } from './pages/circuit.tsx';
import { CircuitsPage } from './pages/circuits.tsx';
import { Nowhere } from './pages/nowhere.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { RecoveryPage } from './pages/recovery.tsx';
import { RunPage } from './pages/run.tsx';
import { TaskPage } from './pages/task.tsx';
import { WorkerPage } from './pages/worker.tsx';
import { WorkersPage } from './pages/workers.tsx';

const word = z.string().max(300).optional().catch(undefined);

const root = createRootRoute({ component: Shell, notFoundComponent: Nowhere });
const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage });
const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$run',
  validateSearch: z.object({
    tab: z.enum(['cases', 'tasks', 'timeline']).optional().catch(undefined),
    status: word,
    q: word,
  }),
  component: RunPage,
});
const task = createRoute({ getParentRoute: () => root, path: '/tasks/$task', component: TaskPage });
const workers = createRoute({
  getParentRoute: () => root,
  path: '/workers',
  validateSearch: z.object({ sort: word, q: word }),
  component: WorkersPage,
});
const worker = createRoute({ getParentRoute: () => root, path: '/workers/$worker', component: WorkerPage });
const circuits = createRoute({
  getParentRoute: () => root,
  path: '/circuits',
  validateSearch: z.object({ state: word, kind: word }),
  component: CircuitsPage,
});
const circuit = createRoute({ getParentRoute: () => root, path: '/circuits/$circuit', component: CircuitPage });

const recovery = createRoute({ getParentRoute: () => root, path: '/recovery', component: RecoveryPage });

export const router = createRouter({
  routeTree: root.addChildren([overview, run, task, workers, worker, circuits, circuit, recovery]),
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
