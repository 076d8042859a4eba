// Five bugs, planted around the production parts and never in them, to see whether the simulator finds them.
import { createEngine, type Engine, type Event, type Input } from '@assay/core';
import { sessionStep, type SessionOutput } from '@assay/agent/session';
import { runIdOf, type Report, type WorkerId } from '@assay/protocol';
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
      if (input.kind !== 'workerReported') return result;
      const refused = new Set(
        result.events.flatMap((event) => (event.kind === 'reportsRefused' ? event.refused.map(({ seq }) => seq) : [])),
      );
      const late = input.reports.filter((report) => report.kind === 'finished' && refused.has(report.seq));
      return {
        ...result,
        events: [...result.events, ...late.flatMap((report) => landOnCurrent(engine, report, nowMs))],
      };
    }),
};

/** Takes a late report for one of the worker that holds the task now; what follows belongs to the same journal entry. */
function landOnCurrent(engine: Engine, report: Report, nowMs: number): Event[] {
  if (report.kind !== 'finished') return [];
  const task = engine.state.runs.get(runIdOf(report.task))?.tasks[
    Number(report.task.slice(report.task.lastIndexOf('.') + 1))
  ];
  const current = task?.attempts.at(-1);
  const holder = engine.state.workers.get(current?.worker ?? ('' as WorkerId));
  if (current === undefined || holder === undefined || current.state.kind === 'settled') return [];
  const moved = { ...report, attempt: current.attempt, seq: holder.ackedSeq + 0.5 };
  const { events } = engine.step(
    { kind: 'workerReported', worker: holder.worker, session: holder.session, reports: [moved] },
    nowMs,
  );
  if (events.length > 0) engine.state.seq -= 1;
  return events.filter(({ kind }) => kind !== 'reportsAccepted');
}

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
        if (event.kind === 'taskSettled')
          for (const [key, events] of settled) if (key.startsWith(`${event.task}#`)) events.push(event);
      }
      if (input.kind !== 'workerReported' || result.events.length === 0) return result;
      const acked = new Set(
        result.events.flatMap((event) => (event.kind === 'attemptSettled' ? [`${event.task}#${event.attempt}`] : [])),
      );
      const again = input.reports.flatMap((report) =>
        report.kind === 'finished' && !acked.has(`${report.task}#${report.attempt}`)
          ? (settled.get(`${report.task}#${report.attempt}`) ?? [])
          : [],
      );
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
