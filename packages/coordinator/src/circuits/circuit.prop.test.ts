import { breakerDefaults } from '@assay/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HandClock } from '../testing/hand-clock.ts';
import { Circuit } from './circuit.ts';

const endings = ['returns', 'rejects', 'throws', 'hangs', 'aborted', 'rejectsOnAbort'] as const;

test('safety: whatever calls do, permits and places come back, and the circuit can always close again', async () => {
  const call = fc.record({ ending: fc.constantFrom(...endings), pauseMs: fc.integer({ min: 0, max: 3_000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 40 }), fc.boolean(), async (calls, isPlain) => {
      const clock = new HandClock();
      const settings = { ...breakerDefaults, consecutiveFailures: 2, openMs: 500, openMaxMs: 2_000, probes: 2 };
      const circuit = new Circuit({ clock, settings, random: () => 0.5 });
      const controllers: AbortController[] = [];
      const wrapped = circuit.wrap(
        (signal, ending: (typeof endings)[number]): Promise<string> => {
          if (ending === 'throws') throw new Error(ending);
          if (ending === 'returns') return Promise.resolve(ending);
          if (ending === 'rejects') return Promise.reject(new Error(ending));
          return new Promise((_, reject) => {
            if (ending === 'rejectsOnAbort') signal.addEventListener('abort', () => reject(new Error(ending)));
          });
        },
        // Without a time-out what hangs would hang for ever: there it returns.
        isPlain ? { bulkhead: 3 } : { timeoutMs: 1_000, bulkhead: 3 },
      );
      const ended: Promise<void>[] = [];
      for (const { ending, pauseMs } of calls) {
        const controller = new AbortController();
        controllers.push(controller);
        const plainEnding = ending === 'throws' || ending === 'rejects' ? ending : 'returns';
        ended.push(
          (isPlain ? wrapped(null, plainEnding) : wrapped(controller.signal, ending)).then(
            () => undefined,
            () => undefined,
          ),
        );
        if (ending === 'aborted' || ending === 'rejectsOnAbort') controller.abort();
        clock.pass(clock.ms + pauseMs);
        await Promise.resolve();
      }
      clock.pass(clock.ms + 1_000);
      await Promise.all(ended);
      expect(clock.timerTimes()).toEqual([]);
      const { state } = circuit.breaker;
      if (state.kind === 'halfOpen') expect(state.permits).toEqual([]);
      // Nothing is left running: the bulkhead has all its places, once the circuit lets calls through.
      clock.pass(clock.ms + 2_000);
      expect(await wrapped(null, 'returns')).toBe('returns');
      expect(circuit.breaker.state.kind).toBe('closed');
      const all = Promise.all([1, 2, 3].map(() => wrapped(null, 'returns')));
      expect(await all).toHaveLength(3);
    }),
    { numRuns: 200 },
  );
});
