// The format of snapshots: what belongs to it, and that a text of another one is refused whole.
import { expect, test } from 'vitest';
import { Lab, asJson, suiteOf, tasksOf } from '../testing/lab.ts';
import { emptyState, replay } from './evolve.ts';
import { restore, snapshot } from './snapshot.ts';

type Text = { version: number } & Record<string, unknown>;

/** A worker that works, a task that is done, one that runs and one that waits. */
function busy(): Lab {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(3), { suites: [suiteOf({ retries: 1 })] });
  lab.finish('w1', lab.held('w1')[0]!);
  lab.start('w1', lab.held('w1')[0]!);
  return lab;
}

function written(lab: Lab): Text {
  return JSON.parse(snapshot(lab.engine.state)) as Text;
}

test('a snapshot of any other format is refused, whatever else it says', () => {
  const now = written(busy());
  for (const version of [now.version - 1, now.version + 1, undefined, null, '2'])
    expect(() => restore(JSON.stringify({ ...now, version }))).toThrow(
      `snapshot format ${String(version)} is not ${now.version}`,
    );
  expect(() => restore(JSON.stringify(now))).not.toThrow();
});

test('where it is refused, the journal gives the same state from its start', () => {
  const lab = busy();
  const folded = emptyState();
  for (const entry of asJson(lab.journal)) replay(folded, entry);
  expect(snapshot(folded)).toBe(snapshot(lab.engine.state));
});

test('what belongs to the format is written down: a change of this list is a new format', () => {
  const now = written(busy());
  const keysOf = (value: unknown): string => Object.keys(value as object).join(' ');
  const firstOf = (list: string): unknown => (now[list] as unknown[])[0];
  const { tasks } = firstOf('runs') as { tasks: unknown[][] };
  const [, attempted] = tasks as [unknown[], unknown[], unknown[]];
  const attempts = attempted[5] as unknown[][];
  expect({
    version: now.version,
    whole: keysOf(now),
    worker: keysOf(firstOf('workers')),
    run: keysOf(firstOf('runs')),
    assignment: keysOf(firstOf('assignments')),
    machines: keysOf(now['machines']),
    registry: keysOf(now['registry']),
    columns: [tasks.at(-1)!.length, attempted.length, attempts[0]!.length],
  }).toMatchInlineSnapshot(`
    {
      "assignment": "assignment run suite worker atMs pool opened devices tasks sinceMs takeBack",
      "columns": [
        5,
        9,
        10,
      ],
      "machines": "given rows",
      "registry": "circuits fleet streaks",
      "run": "run order submitter idempotencyKey contentDigest spec submittedAtMs rankMs startedAtMs state lastChunk unplaceableSaid counts verdicts cases goalMissedMs hedges plan tasks",
      "version": 3,
      "whole": "version seq epoch runOrder assignmentOrder policy clockMs shares profiles workers placements runs assignments avoiding canceling submissions retired durations suites rungs quarantines machines peculiar hedges registry",
      "worker": "worker token name pool slots agentVersion profileDigest declared incarnation superseded session state sinceMs ackedSeq isProven lastAssigned sources trust",
    }
  `);
});
