// Keeps the times of a real run as a workload: what its journal says each test file cost, and each start of the runner.
//   node bench/makespan/record.ts STATE_DIRECTORY NAME "what was run" > bench/makespan/recorded/NAME.json
// The state directory is that of a local run with one worker (`assay run --workers 1`), so that no file was slowed by another.
import { readJournal } from '../../packages/simulator/src/replay-journal.ts';
import { describeMachine } from '../machine.ts';
import { median } from '../statistics.ts';
import type { Recording } from './recorded.ts';

const [directory, name, about] = process.argv.slice(2);
if (directory === undefined || name === undefined || about === undefined)
  throw new Error('usage: record.ts STATE_DIRECTORY NAME ABOUT');
const targets = new Map<string, string>();
const costs = new Map<string, number>();
const startups: number[] = [];
for (const { events } of readJournal(directory, undefined).entries) {
  for (const event of events) {
    if (event.kind === 'tasksQueued')
      for (const [index, { target }] of event.tasks.entries())
        targets.set(`${event.run}.${event.first + index}`, target);
    if (event.kind !== 'attemptSettled' || event.costMs === undefined) continue;
    if (event.startupMs !== undefined) startups.push(event.startupMs);
    if (event.verdict === 'passed' || event.verdict === 'failed')
      costs.set(targets.get(event.task) ?? event.task, Math.max(1, Math.round(event.costMs)));
  }
}
const { cpu, cores, system, node, at } = describeMachine();
const recording: Recording = {
  name,
  about,
  recordedOn: at.slice(0, 10),
  machine: `${cpu}, ${cores} cores, ${system}, Node ${node}`,
  startupMs: Math.round(median(startups)),
  tests: [...costs].toSorted(([a], [b]) => (a < b ? -1 : 1)),
};
const { tests, ...head } = recording;
// A test a line, so that another recording shows as a readable difference.
const lines = tests.map((test) => `    ${JSON.stringify(test)}`).join(',\n');
console.log(`${JSON.stringify(head, null, 2).slice(0, -2)},\n  "tests": [\n${lines}\n  ]\n}`);
