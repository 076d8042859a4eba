// A run that was executed elsewhere comes in as a whole, settled: its cases are in the input, and the event says what was decided of
// them. The engine keeps only that it had it, for as long as other submissions are remembered; after that the results store knows it.
import type { Case, Verdict } from '@assay/protocol';
import type { EraseProject, ImportRun } from '../inputs.ts';
import type { Reply } from '../events.ts';
import { importKeyOf } from '../evolve-run.ts';
import { verdictOfRun } from '../../recovery/run-verdict.ts';
import { refused, type Step } from '../step.ts';

export function importRun(step: Step, input: ImportRun): Reply {
  const { run, submitter, content } = input;
  const { project, tasks } = content;
  const earlier = step.state.retired.get(importKeyOf(project, run));
  if (earlier !== undefined) return { kind: 'runAccepted', run, tasks: earlier.tasks, isRepeat: true };
  if (step.state.runs.has(run)) return refused('CONFLICT', `run ${run} exists`);
  const wrong = tasks.find(({ suite }) => suite >= content.suites.length);
  if (wrong !== undefined) return refused('BAD_REQUEST', `there is no suite ${wrong.suite}`);
  const verdicts = tasks.map(({ cases }) => verdictOfCases(cases));
  const counts: Partial<Record<Verdict, number>> = {};
  for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  const verdict = verdictOfRun({ kind: 'sealed' }, counts);
  step.emit({ kind: 'runImported', run, project, submitter, tasks: tasks.length, verdicts, verdict });
  return { kind: 'runAccepted', run, tasks: tasks.length, isRepeat: false };
}

/** Forgets a project's results. Refused while one of its runs is under way: its rows would come back. */
export function eraseProject(step: Step, input: EraseProject): Reply {
  const { project, actor } = input;
  for (const run of step.state.runs.values()) {
    if (run.spec.project === project)
      return refused(
        'CONFLICT',
        `run ${run.run} of project ${project} is not over or not stored yet: cancel it, or wait`,
      );
  }
  step.emit({ kind: 'projectErased', project, actor });
  return { kind: 'accepted' };
}

/** As the agent judges a file: passed only if something ran and nothing of it failed. */
function verdictOfCases(cases: readonly Case[]): Verdict {
  if (cases.some(({ status }) => status === 'failed')) return 'failed';
  if (cases.some(({ status }) => status === 'passed')) return 'passed';
  return cases.length > 0 ? 'skipped' : 'inconclusive';
}
