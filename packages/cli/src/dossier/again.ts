// One command that runs a file again on hardware of the kind that it failed on. A requirement names what a worker has and never one
// machine, so it is told by the facts of the machine's profile: pool, processor, GPUs and browsers.
import type { TaskView, WorkerView } from '@assay/protocol';

export function againCommand({ target, requires }: Pick<TaskView, 'target' | 'requires'>, worker: WorkerView): string {
  const there = [...(requires === '' ? [] : [`(${requires})`]), `pool == ${cel(worker.pool)}`, ...factsOf(worker)].join(
    ' && ',
  );
  return ['assay run', ...(target === '' ? [] : [shell(target)]), '--requires', shell(there)].join(' ');
}

function factsOf({ profile }: WorkerView): string[] {
  if (profile === undefined) return [];
  const { cpu, os, gpus = [], browsers } = profile;
  return [
    `os.arch == ${cel(os.arch)}`,
    ...(cpu.model === undefined ? [] : [`cpu.model == ${cel(cpu.model)}`]),
    ...[...new Set(gpus.flatMap(({ model }) => model ?? []))].map(
      (model) => `gpus.exists(g, g.model == ${cel(model)})`,
    ),
    ...browsers.map(
      ({ name, version }) => `browsers.exists(b, b.name == ${cel(name)} && b.version == ${cel(version)})`,
    ),
  ];
}

/** A text as CEL writes it: JSON's escapes are among CEL's. */
const cel = (text: string): string => JSON.stringify(text);

/** One word for a POSIX shell. */
const shell = (text: string): string => (/^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
