// Whatever workers, people and time do: the invariants hold after every step (Lab), no state is a dead end, and what is set
// aside gets no work.
import type { WorkerId } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conditionTransitions } from '../../lifecycle/condition.ts';
import { Lab, profileOf, suiteOf, tasksOf } from '../../testing/lab.ts';
import { restore, snapshot } from '../snapshot.ts';

const workers = ['w1', 'w2'] as const;
const devices = [null, 'gpu:0'] as const;
type Act =
  | { kind: 'check'; worker: string; device: string | null; outcome: 'passed' | 'failed' | 'notRun' }
  | { kind: 'answer'; worker: string; outcome: 'passed' | 'failed' | 'notRun' }
  | { kind: 'set'; worker: string; device: string | null; action: 'quarantine' | 'maintenance' | 'release' }
  | { kind: 'wait'; ms: number }
  | { kind: 'cut'; worker: string }
  | { kind: 'join'; worker: string }
  | { kind: 'submit'; worker: string }
  | { kind: 'work'; worker: string };

const worker = fc.constantFrom(...workers);
const device = fc.constantFrom(...devices);
const outcome = fc.constantFrom('passed', 'failed', 'notRun');
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('check'), worker, device, outcome }),
  fc.record({ kind: fc.constant('answer'), worker, outcome }),
  fc.record({
    kind: fc.constant('set'),
    worker,
    device,
    action: fc.constantFrom('quarantine', 'maintenance', 'release'),
  }),
  fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(100, 5_000, 130_000, 1_000_000) }),
  fc.record({ kind: fc.constantFrom('cut', 'join', 'submit', 'work'), worker }),
) as fc.Arbitrary<Act>;

function newLab(): Lab {
  const lab = new Lab();
  const profile = profileOf({ gpus: [{ vendor: 'nvidia', via: 'nvidia-smi' }] });
  for (const name of workers) lab.join(name, { profile, profileDigest: 'with-gpu', slots: 2 });
  return lab;
}

function isLinked(lab: Lab, name: string): boolean {
  const kind = lab.engine.state.workers.get(name as WorkerId)?.state.kind;
  return kind === 'connected' || kind === 'draining';
}

/** Answers everything that is asked of the worker now, with this outcome. */
function answer(lab: Lab, name: string, said: 'passed' | 'failed' | 'notRun'): void {
  const { health } = lab.engine.state.workers.get(name as WorkerId)!;
  for (const [key, condition] of [...health.conditions]) {
    if (condition.kind !== 'suspect' && condition.kind !== 'quarantined') continue;
    const about = key === '' ? {} : { device: key };
    const { checkup } = condition;
    if (checkup.kind === 'certifying')
      lab.report(name, { kind: 'certified', request: checkup.request, ...about, outcome: said, message: said });
    if (checkup.kind === 'recovering')
      lab.report(name, {
        kind: 'recovered',
        request: checkup.request,
        rung: checkup.rung,
        ...about,
        outcome: said === 'notRun' ? 'notApplicable' : 'done',
        evidence: {},
        durationMs: 5,
      });
  }
}

function carryOut(lab: Lab, one: Act): void {
  if (one.kind === 'wait') return void lab.wait(one.ms);
  if (one.kind === 'join') return void lab.join(one.worker, { held: lab.held(one.worker) });
  if (one.kind === 'submit') {
    const requires = one.worker === 'w1' ? 'gpus.exists(g, g.vendor == "nvidia")' : '';
    return void lab.submit(tasksOf(3), { suites: [suiteOf({ requires })] });
  }
  const worker = one.worker as WorkerId;
  if (one.kind === 'set')
    return void lab.step({
      kind: 'setCondition',
      worker,
      device: one.device,
      action: one.action,
      actor: 'ada',
      reason: 'r',
    });
  if (!isLinked(lab, one.worker)) return;
  if (one.kind === 'cut') return void lab.cut(one.worker);
  if (one.kind === 'answer') return answer(lab, one.worker, one.outcome);
  if (one.kind === 'work') {
    const [ref] = lab.held(one.worker);
    if (ref !== undefined) lab.finish(one.worker, ref);
    return;
  }
  const check = one.device ?? 'machine';
  const about = one.device === null ? {} : { device: one.device };
  lab.report(one.worker, { kind: 'checked', check, ...about, outcome: one.outcome, evidence: {}, durationMs: 1 });
}

test('safety: whatever happens, the invariants hold, what is set aside gets no work, and a snapshot keeps it all', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const lab = newLab();
      for (const one of acts) {
        const before = lab.journal.length;
        carryOut(lab, one);
        for (const { events } of lab.journal.slice(before))
          for (const event of events)
            if (event.kind === 'tasksAssigned')
              expect(lab.engine.state.workers.get(event.worker)?.health.conditions.get('')?.kind ?? 'ready').toBe(
                'ready',
              );
      }
      const text = snapshot(lab.engine.state);
      expect(snapshot(restore(text))).toBe(text);
    }),
    { numRuns: 150 },
  );
});

test('liveness: a sound worker that answers is ready again in the end, whatever was before, unless a person holds it', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const lab = newLab();
      for (const one of acts) carryOut(lab, one);
      for (const name of workers) {
        lab.join(name, { held: lab.held(name) });
        const { conditions } = lab.engine.state.workers.get(name as WorkerId)!.health;
        for (const scope of devices) {
          const condition = conditions.get(scope ?? '');
          const isHeld = condition !== undefined && 'actor' in condition && condition.actor === 'ada';
          const release = { kind: 'setCondition', worker: name as WorkerId, device: scope, action: 'release' } as const;
          if (isHeld) lab.step({ ...release, actor: 'ada', reason: 'r' });
        }
        // What Assay set aside comes back by checks and certifications alone, also where every step was tried.
        for (let round = 0; round < 20; round += 1) {
          for (const scope of devices) carryOut(lab, { kind: 'check', worker: name, device: scope, outcome: 'passed' });
          answer(lab, name, 'passed');
        }
      }
      for (const name of workers)
        for (const condition of lab.engine.state.workers.get(name as WorkerId)!.health.conditions.values())
          expect(condition.kind).toBe('ready');
    }),
    { numRuns: 100 },
  );
});

test('every condition can be left, and ready can be reached from each', () => {
  for (const from of Object.keys(conditionTransitions) as (keyof typeof conditionTransitions)[]) {
    const seen = new Set<string>([from]);
    for (const one of seen)
      for (const next of Object.values(conditionTransitions[one as keyof typeof conditionTransitions])) seen.add(next);
    expect(Object.keys(conditionTransitions[from])).not.toEqual([]);
    expect(seen.has('ready')).toBe(true);
  }
});
