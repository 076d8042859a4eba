// The names under which readings are kept: one place, so that what marks them and what shows them agree.
export const keys = {
  runs: ['runs'],
  run: (run: string) => ['run', run],
  tasks: (run: string) => ['tasks', run],
  task: (task: string) => ['task', task],
  explain: (task: string) => ['explain', task],
  workers: ['workers'],
  worker: (worker: string) => ['worker', worker],
  circuits: ['circuits'],
  circuit: (circuit: string) => ['circuit', circuit],
  recovery: ['recovery'],
} as const satisfies Record<string, readonly string[] | ((id: string) => readonly string[])>;
