// Clients: they submit runs in chunks, ask again when they hear nothing, cancel, and watch. What they were told is checked
// to be true and durable at the moment in which it was said, and for ever after.
import type { Input, Reply } from '@assay/core';
import { type AdmissionPolicy, type RunId, type RunSpec, type Task, type TaskId, type WorkerId } from '@assay/protocol';
import type { Shell } from '@assay/coordinator/simulation';
import type { Witness } from './checks/witness.ts';
import type { SimCoordinator } from './coordinator/sim-coordinator.ts';
import type { Random } from './sim/random.ts';
import type { World } from './sim/world.ts';

export type Submission = {
  key: string;
  submitter?: string;
  spec: RunSpec;
  chunks: Task[][];
  atMs: number;
  /** After so long the client cancels the run (`tasks`: only so many of the first), or never. */
  cancelAfterMs: number | null;
  cancelTasks: number | null;
};

export type ClientWeather = { loseRequest: number; loseReply: number };

export type ClientOptions = {
  world: World;
  coordinator: SimCoordinator;
  witness: Witness;
  random: Random;
  weather: () => ClientWeather;
};

/** A client's requests: at least once, until there is an answer. */
export class Client {
  /** Requests without an answer yet. */
  open = 0;
  readonly #options: ClientOptions;
  #runs = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  submit(submission: Submission, onDone: (run: RunId) => void): void {
    const { key, spec, chunks } = submission;
    const first: () => Input = () => ({
      kind: 'submitRun',
      // The route makes a fresh id for every request, also for a repeated one.
      run: `r-${(this.#runs += 1)}` as RunId,
      submitter: submission.submitter ?? 'simulation',
      idempotencyKey: key,
      contentDigest: `digest of ${key}`,
      spec,
      tasks: chunks[0] ?? [],
      sealed: chunks.length <= 1,
    });
    this.ask(`submits ${key}`, first, (reply) => {
      if (reply.kind !== 'runAccepted')
        throw new Error(`the submission of ${key} was answered with ${JSON.stringify(reply)}`);
      this.#options.witness.submitted(key, reply.run);
      this.#addChunks(reply.run, chunks, 1, () => onDone(reply.run));
    });
  }

  cancel(run: RunId, tasks: TaskId[] | null): void {
    const input: Input = {
      kind: 'cancelRun',
      run,
      actor: 'simulation',
      reason: 'changed my mind',
      ...(tasks === null ? {} : { tasks }),
    };
    this.ask(
      `cancels ${tasks === null ? '' : `${tasks.length} tasks of `}${run}`,
      () => input,
      () => undefined,
    );
  }

  /** An operator lays a policy down. */
  layDown(policy: AdmissionPolicy): void {
    this.ask(
      'lays a policy down',
      () => ({ kind: 'setPolicy', policy, actor: 'simulation' }),
      () => undefined,
    );
  }

  drain(worker: WorkerId): void {
    this.ask(
      `drains ${worker}`,
      () => ({ kind: 'drainWorker', worker, actor: 'simulation', reason: 'maintenance' }),
      () => undefined,
    );
  }

  /** What the coordinator's own look at a dependency tells the engine. */
  see(dependency: string, outcome: 'success' | 'failure'): void {
    const detail = outcome === 'success' ? null : 'connect ECONNREFUSED';
    this.ask(
      `sees ${dependency}: ${outcome}`,
      () => ({ kind: 'dependencyProbed', dependency, outcome, durationMs: 1, detail }),
      () => undefined,
    );
  }

  /** Asks until it is answered. Every try is made anew, as a client that repeats its request does. */
  ask(what: string, input: () => Input, onReply: (reply: Reply) => void): void {
    const { world, random, coordinator, weather } = this.#options;
    this.open += 1;
    let isDone = false;
    const answered = (reply: Reply): void => {
      if (isDone) return;
      isDone = true;
      this.open -= 1;
      onReply(reply);
    };
    const tryOnce = (): void => {
      if (isDone) return;
      world.trace('client', what);
      const giveUp = world.after(random.int(2_000, 6_000), tryOnce);
      if (random.chance(weather().loseRequest)) return;
      world.after(random.skewed(1, 50), () => {
        const { shell } = coordinator;
        if (shell === null) return;
        coordinator.process.arrive(() =>
          this.#post(shell, input(), (reply) => {
            if (random.chance(weather().loseReply)) return;
            world.after(random.skewed(1, 50), () => {
              giveUp();
              answered(reply);
            });
          }),
        );
      });
    };
    tryOnce();
  }

  #post(shell: Shell, input: Input, onReply: (reply: Reply) => void): void {
    shell.post(input, (outcome) => {
      if (outcome.kind === 'failed') {
        // The coordinator is stopping: as good as no answer.
        return;
      }
      this.#options.witness.replied(input, outcome.reply);
      onReply(outcome.reply);
    });
  }

  #addChunks(run: RunId, chunks: Task[][], next: number, onDone: () => void): void {
    const tasks = chunks[next];
    if (tasks === undefined) return onDone();
    const sealed = next === chunks.length - 1;
    this.ask(
      `adds chunk ${next} to ${run}`,
      () => ({ kind: 'addTasks', run, chunk: next, tasks, sealed }),
      (reply) => {
        // It may have been canceled, or have stopped itself, meanwhile.
        if (reply.kind === 'refused' && reply.code !== 'RUN_SEALED' && reply.code !== 'NOT_FOUND') {
          throw new Error(`chunk ${next} of ${run} was answered with ${JSON.stringify(reply)}`);
        }
        this.#addChunks(run, chunks, next + 1, onDone);
      },
    );
  }
}
