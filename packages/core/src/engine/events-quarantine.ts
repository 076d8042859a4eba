// Tests that are set aside and come back: a person's word, the end of its time, or passes enough.
import type { QuarantineMode } from './quarantines.ts';

export type TestQuarantined = {
  kind: 'testQuarantined';
  quarantine: string;
  project: string;
  suite: string;
  target: string;
  path: string[];
  mode: QuarantineMode;
  owner: string;
  reason: string;
  expiresAtMs: number;
  rate: number;
  passesNeeded: number;
  actor: string;
};
export type TestReleased = {
  kind: 'testReleased';
  quarantine: string;
  because: 'expired' | 'passes' | 'person';
  actor: string;
  reason: string;
};
export type QuarantineEvent = TestQuarantined | TestReleased;
