// The whole journal folded again through the engine's own evolve, with every invariant of the engine looked at after every entry:
// what the simulator does in virtual time, here on what really happened.
import { checkInvariants, emptyState, misplacedTasks, replay, unlawfulAssignments } from '@assay/core';
import { type Check, type CheckResult, judged, notEvaluated } from './check.ts';

const titles = {
  invariants: 'every invariant of the engine holds after every entry of the journal',
  'fitting-workers': 'work went to fitting workers only',
  'circuits-obeyed': 'nothing was assigned past an open circuit but its probe',
} as const;

const problemsMax = 50;

export const journalReplays: Check = ({ entries }): CheckResult[] => {
  const ids = Object.keys(titles) as (keyof typeof titles)[];
  if (entries[0]?.seq !== 1)
    return ids.map((id) => notEvaluated(id, titles[id], 'the journal does not begin with its first entry'));
  const problems: Record<keyof typeof titles, string[]> = {
    invariants: [],
    'fitting-workers': [],
    'circuits-obeyed': [],
  };
  const state = emptyState();
  for (const entry of entries) {
    try {
      replay(state, entry);
    } catch (error) {
      problems.invariants.push(`seq ${entry.seq}: ${error instanceof Error ? error.message : String(error)}`);
      break;
    }
    const about = (text: string): string => `seq ${entry.seq}: ${text}`;
    if (problems.invariants.length < problemsMax) problems.invariants.push(...checkInvariants(state).map(about));
    problems['fitting-workers'].push(...misplacedTasks(state).map((task) => about(`${task} does not fit where it is`)));
    problems['circuits-obeyed'].push(...unlawfulAssignments(state, entry.events).map(about));
  }
  return ids.map((id) =>
    judged(id, titles[id], problems[id], `${entries.length} entries folded`, [`seq 1 to ${entries.at(-1)?.seq ?? 0}`]),
  );
};
