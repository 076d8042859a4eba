import { expect, test } from 'vitest';
import { scenarios, transcriptOf } from './scenarios.ts';

// A change of behaviour shows up as a readable diff: look at it, then accept it with `vitest run -u`.
test.each(scenarios)('$name goes as it is written down', async (scenario) => {
  await expect(await transcriptOf(scenario)).toMatchFileSnapshot(`${scenario.name}.txt`);
});

const text = async (name: string): Promise<string> => transcriptOf(scenarios.find((one) => one.name === name)!);

test('the transcripts tell what their stories promise', async () => {
  expect(await text('worker-lost-in-a-batch')).toMatch(
    /workerWentSilent w-0 => workerLost tasksReturned attemptSettled/,
  );
  expect(await text('coordinator-killed')).toMatch(/is killed; [01] unacknowledged batches/);
  expect(await text('coordinator-killed')).toMatch(/workerConnected w-0 => workerJoined tasksReturned/);
  expect(await text('stealing-at-the-end')).toMatch(/takeBackRequested/);
  expect(await text('late-result-after-the-fence')).toMatch(/finished r-1\.0#1 => reportsRefused/);
  expect(await text('unplaceable-run')).toMatch(
    /needs a terabyte 1 tasks => .*runUnplaceable attemptSettled taskSettled runSettled/,
  );
});
