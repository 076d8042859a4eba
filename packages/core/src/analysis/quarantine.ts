// A flaky test set aside, as a pure state machine: by whom, why, until when, and how it comes back. `mute` lets it run and not
// count; `skip` does not run it. What always holds: nobody is in quarantine without owner, reason and an end; it ends by itself
// at its end; it ends early only on so many passes in a row that a flake of the rate it had then would have failed among them
// with a probability of 95 %, so that it does not come and go (hysteresis); what is skipped gives no evidence, so that it ends by time or by a person.

export type QuarantineRequest = {
  readonly mode: 'mute' | 'skip';
  readonly owner: string;
  readonly reason: string;
  readonly expiresAtMs: number;
  /** How often it failed when it was set aside, between 0 and 1: its flake judgement's lower bound of the rate. */
  readonly rate: number;
};

export type Quarantine =
  | { readonly kind: 'free' }
  | (QuarantineRequest & {
      readonly kind: 'quarantined';
      readonly sinceMs: number;
      readonly passesInRow: number;
      readonly passesNeeded: number;
    });

export type QuarantineInput =
  | ({ readonly kind: 'quarantine' } & QuarantineRequest)
  | { readonly kind: 'executed'; readonly isFailed: boolean }
  | { readonly kind: 'release'; readonly by: string }
  | { readonly kind: 'timePassed' };

export type QuarantineStep =
  | { readonly kind: 'unchanged'; readonly state: Quarantine }
  | { readonly kind: 'refused'; readonly state: Quarantine; readonly reason: string }
  | { readonly kind: 'quarantined' | 'counted'; readonly state: Quarantine }
  | {
      readonly kind: 'released';
      readonly state: { readonly kind: 'free' };
      readonly because: 'expired' | 'passes' | 'person';
    };

/** Longest time that a quarantine may be asked for: 90 days. */
export const quarantineMaxMs = 90 * 24 * 3_600_000;
const passesMin = 20;
const passesMax = 1_000;

export function stepQuarantine(state: Quarantine, input: QuarantineInput, nowMs: number): QuarantineStep {
  // Time first, whatever happened: an idle quarantine ends as a busy one does.
  if (state.kind === 'quarantined' && nowMs >= state.expiresAtMs && input.kind !== 'quarantine')
    return released('expired');
  switch (input.kind) {
    case 'quarantine':
      return setAside(state, input, nowMs);
    case 'executed':
      return executed(state, input.isFailed);
    case 'release':
      return state.kind === 'free' ? { kind: 'unchanged', state } : released('person');
    case 'timePassed':
      return { kind: 'unchanged', state };
  }
}

/** Passes in a row that a flake of this rate has with a probability of at most 5 %; between 20 and 1,000. */
export function passesNeededFor(rate: number): number {
  if (!(rate > 0)) return passesMax;
  if (rate >= 1) return passesMin;
  return Math.min(passesMax, Math.max(passesMin, Math.ceil(Math.log(0.05) / Math.log1p(-rate))));
}

const released = (because: 'expired' | 'passes' | 'person'): QuarantineStep => ({
  kind: 'released',
  state: { kind: 'free' },
  because,
});

function setAside(state: Quarantine, request: QuarantineRequest, nowMs: number): QuarantineStep {
  const { mode, owner, reason, expiresAtMs, rate } = request;
  const refuse = (why: string): QuarantineStep => ({ kind: 'refused', state, reason: why });
  if (owner.trim() === '') return refuse('a quarantine needs an owner');
  if (reason.trim() === '') return refuse('a quarantine needs a reason');
  if (!(expiresAtMs > nowMs)) return refuse('its end is in the past');
  if (expiresAtMs - nowMs > quarantineMaxMs) return refuse('its end is more than 90 days away');
  const next = { mode, owner, reason, expiresAtMs, rate };
  // A repeat of one's own request is success; another one renews it and counts again.
  if (state.kind === 'quarantined' && isSame(state, next)) return { kind: 'unchanged', state };
  const passesNeeded = passesNeededFor(rate);
  return { kind: 'quarantined', state: { kind: 'quarantined', ...next, sinceMs: nowMs, passesInRow: 0, passesNeeded } };
}

const isSame = (state: QuarantineRequest, { mode, owner, reason, expiresAtMs, rate }: QuarantineRequest): boolean =>
  state.mode === mode &&
  state.owner === owner &&
  state.reason === reason &&
  state.expiresAtMs === expiresAtMs &&
  state.rate === rate;

function executed(state: Quarantine, isFailed: boolean): QuarantineStep {
  if (state.kind === 'free' || state.mode === 'skip') return { kind: 'unchanged', state };
  const passesInRow = isFailed ? 0 : state.passesInRow + 1;
  if (passesInRow >= state.passesNeeded) return released('passes');
  return { kind: 'counted', state: { ...state, passesInRow } };
}
