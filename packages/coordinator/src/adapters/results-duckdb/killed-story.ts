// What the process of store.real.test.ts stores when it is killed; apart from the test so that it can load it alone.
import { taskIdOf, type RunId, type WorkerId } from '@assay/protocol';
import type { JournalEntry } from '../../ports/journal.ts';
import { JournalStory, failed, passed } from '../../results/journal-story.ts';

const [run, worker] = ['r-killed' as RunId, 'w-one' as WorkerId];
const tasks = 6_000;

/** One run of many tasks, each attempted twice: what the killed process stores and what is compared with afterwards. */
export function storyToKill(): JournalEntry[] {
  const story = new JournalStory();
  story.join(worker, 'one');
  story.submit(
    run,
    Array.from({ length: tasks }, (_, index) => `file-${index}.test.ts`),
  );
  for (let index = 0; index < tasks; index += 1) {
    const task = taskIdOf(run, index);
    if (index % 10 === 0) {
      story.assign(run, worker, [{ index, attempt: 1 }]);
      story.finish(task, 1, worker, [passed('one'), failed('two')], 'failed', 'requeue');
    }
    story.assign(run, worker, [{ index, attempt: index % 10 === 0 ? 2 : 1 }]);
    story.finish(task, index % 10 === 0 ? 2 : 1, worker, [passed('one'), passed('two')], 'passed', 'settle');
  }
  story.settleRun(run, 'passed');
  return story.entries;
}
