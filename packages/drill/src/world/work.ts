// The drill's own run: one project, one run that stays open, tasks added step by step. Every file is written before its task is
// submitted, and every task is kept with the end that it has to have.
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunSpec, Suite, Task } from '@assay/protocol';
import type { TaskFault, Work } from '../faults/fault.ts';
import { until } from '../until.ts';
import type { DrillFleet } from './fleet.ts';
import { casesOfPassing, type DrillTask, passingFile, serviceFile, suitesOf, writeFileOf } from './project.ts';

/** Long enough that a fault can meet a task at work, short enough that a drill of many stays short. */
const caseMs = 200;

export class DrillWork {
  readonly fleet: DrillFleet;
  readonly directory: string;
  readonly marks: string;
  /** In the order of their index in the run. */
  readonly tasks: DrillTask[] = [];
  readonly #suites: readonly Suite[];
  #chunk = 0;
  run = '';

  constructor(fleet: DrillFleet, serviceUrl: string) {
    this.fleet = fleet;
    this.directory = join(fleet.options.directory, 'project');
    this.marks = join(fleet.options.directory, 'marks');
    for (const path of [this.directory, this.marks]) mkdirSync(path, { recursive: true });
    this.#suites = suitesOf({ DRILL_MARKS: this.marks, DRILL_SERVICE: serviceUrl });
  }

  async open(): Promise<void> {
    const spec: RunSpec = {
      name: 'drill',
      project: 'assay-drill',
      priority: 0,
      source: { kind: 'directory', path: this.directory },
      suites: [...this.#suites],
      failFast: false,
      unplaceable: 'wait',
    };
    const submission = { idempotencyKey: randomUUID(), run: spec, tasks: [], sealed: false };
    this.run = (await this.fleet.client.submitRun(submission)).run;
  }

  /** So many tasks of a kind that pass; returns their indexes. */
  async give(step: number, work: Work, count: number): Promise<number[]> {
    return this.#add(
      Array.from({ length: count }, (_, more) => {
        const number = this.tasks.length + more;
        const target = work === 'tool' ? `tool-${number}` : `test/${work}-${number}.test.mjs`;
        const text = work === 'service' ? serviceFile() : passingFile(`${work}-${number}`, caseMs);
        if (work !== 'tool') writeFileOf(this.directory, target, text);
        const passedCases = work === 'tool' || work === 'service' ? 1 : casesOfPassing;
        return { target, suite: work, expects: { verdict: 'passed' as const, passedCases }, step };
      }),
    );
  }

  async giveFault(step: number, fault: TaskFault): Promise<number> {
    const target = `test/${fault.id}-${this.tasks.length}.test.mjs`;
    writeFileOf(this.directory, target, fault.file);
    const [index] = await this.#add([{ target, suite: fault.suite, expects: fault.expects, step }]);
    return index ?? 0;
  }

  /** No more tasks follow: the run may settle. */
  async seal(): Promise<void> {
    this.#chunk += 1;
    await this.fleet.client.addTasks(this.run, { chunk: this.#chunk, tasks: [], sealed: true });
  }

  /** Until everything given out so far is settled, but for so many. Throws NotInTime. */
  async settled(timeoutMs: number, but = 0): Promise<void> {
    const wanted = this.tasks.length - but;
    await until(
      `${wanted} tasks are settled`,
      async () => {
        this.fleet.assertServing();
        const view = await this.fleet.client.readRun(this.run).catch(() => null);
        return view !== null && view.tasks.settled >= wanted ? true : null;
      },
      { timeoutMs, signal: this.fleet.options.signal, everyMs: 50 },
    );
  }

  async #add(added: readonly DrillTask[]): Promise<number[]> {
    const first = this.tasks.length;
    if (added.length === 0) return [];
    this.#chunk += 1;
    const tasks: Task[] = added.map(({ target, suite }) => ({
      suite: this.#suites.findIndex(({ name }) => name === suite),
      target,
    }));
    // Kept before it is sent: what is sent twice after a broken connection is one chunk.
    this.tasks.push(...added);
    await this.fleet.client.addTasks(this.run, { chunk: this.#chunk, tasks, sealed: false });
    return added.map((_, index) => first + index);
  }
}
