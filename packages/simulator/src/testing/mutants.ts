// Five bugs, planted around the production parts and never in them, to see whether the simulator finds them.
import { createEngine, evolve, type Engine, type Event, type Input } from '@assay/core';
import { sessionStep, type SessionOutput } from '@assay/agent/session';
import { runIdOf } from '@assay/protocol';
import type { SimParts } from '../simulate.ts';

export type Mutant = { name: string; bug: string; parts: () => Partial<SimParts> };

/** An engine whose step is changed: `change` gets the sound one. */
function engineWith(change: (engine: Engine) => Engine['step']): Partial<SimParts> {
  return {
    createEngine: (config, state) => {
      const engine = createEngine(config, state);
      return { state: engine.state, nextDeadlineMs: () => engine.nextDeadlineMs(), step: change(engine) };
    },
  };
}

const noFence: Mutant = {
  name: 'no fence',
  bug: 'the end of an attempt counts for whatever attempt its task has now, whoever holds it',
  parts: () =>
    engineWith((engine) => (input, nowMs) => {
      const result = engine.step(input, nowMs);
      if (input.kind !== 'workerReported' || result.events.length === 0) return result;
      const landed = input.reports.flatMap((report): Event[] => {
        const isRefused = result.events.some((event) => event.kind === 'reportsRefused' && event.refused.some(({ seq }) => seq === report.seq));
        if (report.kind !== 'finished' || !isRefused) return [];
        const task = engine.state.runs.get(runIdOf(report.task))?.tasks[Number(report.task.slice(report.task.lastIndexOf('.') + 1))];
        const current = task?.attempts.at(-1);
        if (current === undefined || current.state.kind === 'settled' || current.attempt <= report.attempt) return [];
        const { verdict, counts } = report.outcome;
        const about = { task: report.task, verdict };
        return [
          { kind: 'attemptSettled', ...about, attempt: current.attempt, worker: current.worker, counts, next: { kind: 'settle' } },
          { kind: 'taskSettled', ...about },
        ];
      });
      for (const event of landed) evolve(engine.state, event, nowMs);
      return { ...result, events: [...result.events, ...landed] };
    }),
};

const ackBeforeCommit: Mutant = {
  name: 'ack before commit',
  bug: 'the journal says that a batch is durable when it has only taken it',
  parts: () => ({
    journal: (journal) => ({
      ...journal,
      append: (entries, done) => {
        let isTold = false;
        const tell = (error: Parameters<typeof done>[0]): void => {
          if (isTold) return;
          isTold = true;
          done(error);
        };
        journal.append(entries, tell);
        tell(null);
      },
    }),
  }),
};

const lostCredit: Mutant = {
  name: 'lost credit',
  bug: 'what was in flight when a link broke keeps its place in the window and is not sent again',
  parts: () => ({
    sessionStep: (state, input, nowMs) => {
      const wasGreeting = state.phase.kind === 'greeting';
      const outputs = sessionStep(state, input, nowMs);
      if (!wasGreeting || state.phase.kind !== 'connected' || !state.wasWelcomed || state.links < 2) return outputs;
      return outputs.flatMap((output): SessionOutput[] => {
        if (output.kind !== 'send') return [output];
        const messages = output.messages.filter((message) => message.kind !== 'report');
        return messages.length === 0 ? [] : [{ ...output, messages }];
      });
    },
  }),
};

const doubleSettle: Mutant = {
  name: 'double settle',
  bug: 'an end that is reported again is settled again',
  parts: () => {
    const settled = new Map<string, Event[]>();
    return engineWith((engine) => (input: Input, nowMs: number) => {
      const result = engine.step(input, nowMs);
      for (const event of result.events) {
        if (event.kind === 'attemptSettled') settled.set(`${event.task}#${event.attempt}`, [event]);
        if (event.kind === 'taskSettled') for (const [key, events] of settled) if (key.startsWith(`${event.task}#`)) events.push(event);
      }
      if (input.kind !== 'workerReported' || result.events.length === 0) return result;
      const acked = new Set(result.events.flatMap((event) => (event.kind === 'attemptSettled' ? [`${event.task}#${event.attempt}`] : [])));
      const again = input.reports.flatMap((report) => (report.kind === 'finished' && !acked.has(`${report.task}#${report.attempt}`) ? (settled.get(`${report.task}#${report.attempt}`) ?? []) : []));
      return { ...result, events: [...result.events, ...again] };
    });
  },
};

const forgottenLease: Mutant = {
  name: 'forgotten lease',
  bug: 'a worker that is gone keeps its work for ever',
  parts: () =>
    engineWith((engine) => (input, nowMs) => {
      if (input.kind !== 'workerWentSilent' && input.kind !== 'workerDisconnected') return engine.step(input, nowMs);
      return { events: [], reply: { kind: 'accepted' } };
    }),
};

export const mutants: readonly Mutant[] = [noFence, ackBeforeCommit, lostCredit, doubleSettle, forgottenLease];
