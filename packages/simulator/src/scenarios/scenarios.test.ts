import { expect, test } from 'vitest';
import { scenarios, transcriptOf } from './scenarios.ts';

// A change of behaviour shows up as a readable diff: look at it, then accept it with `vitest run -u`.
test.each(scenarios)('$name goes as it is written down', async (scenario) => {
  await expect(await transcriptOf(scenario)).toMatchFileSnapshot(`${scenario.name}.txt`);
});

const text = async (name: string): Promise<string> => transcriptOf(scenarios.find((one) => one.name === name)!);

test('the transcripts of admission tell what their stories promise', async () => {
  const full = await text('every-worker-is-full');
  expect(full).toMatch(/the second run 1 tasks => runSubmitted tasksQueued\n/);
  expect(full).not.toMatch(/runUnplaceable/);
  const key = await text('one-key-two-tasks');
  expect(key.match(/assign a-\d+: r-1\.\d+#1/g)).toHaveLength(3);
  expect(key.indexOf('assign a-2: r-2.0#1')).toBeGreaterThan(0);
  const equal = await text('two-equal-devices');
  expect(new Set(equal.match(/tells s-\d+: assign/g)).size).toBe(2);
  expect(await text('scores-well-but-does-not-fit')).toMatch(/workerConnected w-1 => workerJoined tasksAssigned/);
  expect(await text('a-gang-loses-one')).toMatch(/gangRestarted cancelSent/);
  expect(await text('an-alternative-in-time')).toMatch(/timePassed => alternativeOpened tasksAssigned/);
});

test('the transcripts tell what their stories promise', async () => {
  expect(await text('worker-lost-in-a-batch')).toMatch(
    /workerWentSilent w-0 => workerLost tasksReturned attemptSettled/,
  );
  expect(await text('coordinator-killed')).toMatch(/is killed; [01] unacknowledged batches/);
  expect(await text('coordinator-killed')).toMatch(/workerConnected w-\d => workerJoined tasksReturned/);
  expect(await text('stealing-at-the-end')).toMatch(/takeBackRequested/);
  expect(await text('late-result-after-the-fence')).toMatch(/finished r-1\.0#1 => reportsRefused/);
  expect(await text('unplaceable-run')).toMatch(
    /needs a terabyte 1 tasks => .*runUnplaceable attemptSettled taskSettled runSettled/,
  );
});

test('the transcripts of circuits tell what their stories promise', async () => {
  const bad = await text('one-bad-worker');
  expect(bad).toMatch(/worker:w-0: closed -> open/);
  expect(bad).toMatch(/worker:w-0: halfOpen -> open, probeFailed[^]*worker:w-0: halfOpen -> closed, probesSucceeded/);
  expect(bad).not.toMatch(/circuit +class/);
  const driver = await text('broken-driver-of-a-class');
  expect(driver).toMatch(/classTask:\S+ project\/pages: closed -> open, quorum/);
  expect(driver).not.toMatch(/circuit +(worker|class):/);
  const hole = await text('black-hole');
  const before = hole.slice(0, hole.indexOf('worker:w-0: closed -> open, blackHole'));
  expect(before.match(/w-0 reports \d+ finished|w-0 reports .* finished/g)?.length).toBeLessThanOrEqual(5);
  expect(await text('half-open-canary')).toMatch(/workerTask:w-0:\S+ project\/pages: halfOpen -> open, probeFailed/);
  expect(await text('idle-hour')).not.toMatch(/circuit {5}/);
  expect(await text('dependency-down-and-back')).toMatch(/dependency:payments: halfOpen -> closed, answered/);
  const alone = await text('small-fleet-of-1');
  expect(alone).toMatch(/closed -> halfOpen, failureRate/);
  expect(alone).not.toMatch(/-> open/);
  for (const size of [2, 3, 4, 5]) {
    const stopped = (await text(`small-fleet-of-${size}`)).match(/worker:w-\d: closed -> open, failureRate/g) ?? [];
    expect(new Set(stopped).size).toBeGreaterThan(0);
    expect(new Set(stopped).size).toBeLessThan(size);
  }
  expect(await text('circuit-opens-an-alternative')).toMatch(
    /circuitMoved reportsAccepted alternativeOpened tasksAssigned/,
  );
  const flapping = await text('flapping-link');
  expect(flapping.match(/workerDisconnected w-0/g)?.length).toBeGreaterThan(3);
  expect(flapping).not.toMatch(/#2|circuit {5}/);
});

test('the transcripts of unsound machines tell what their stories promise', async () => {
  const repaired = await text('device-repaired');
  expect(repaired).toMatch(/checked => workerChecked conditionChanged .*certificationRequested/);
  expect(repaired).toMatch(/recovered .*=> .*recoveryReported certificationRequested/);
  expect(repaired).toMatch(/certified => workerCertified conditionChanged [^]*w-0 reports \d+ finished/);
  const once = await text('check-fails-once');
  expect(once).toMatch(/certified => workerCertified conditionChanged/);
  expect(once).not.toMatch(/recoveryRequested/);
});

test('the transcripts of recovery tell what their stories promise', async () => {
  const verdictOf = async (name: string): Promise<string> =>
    (await text(name)).match(/verdict {5}.*/g)?.join('\n') ?? '';
  expect(await verdictOf('verdict-this-device')).toMatch(/r-1\.0 passed: device, proven by 1 2/);
  expect(await verdictOf('verdict-this-driver')).toMatch(/r-1\.0 passed: driver, proven by 1 2 3/);
  expect(await verdictOf('verdict-the-test')).toMatch(/r-1\.0 failed: test, proven by 1 2/);
  expect(await verdictOf('verdict-infrastructure')).toMatch(/r-1\.0 passed: infrastructure, proven by 1 2/);
  expect(await verdictOf('verdict-flaky')).toMatch(/r-1\.0 passed: flaky, proven by 1 2/);
  expect(await verdictOf('poison')).toMatch(/errored: test, proven by 1 2: It took down w-\d, w-\d/);
  expect((await text('poison')).match(/loses power/g)).toHaveLength(2);
  const many = await verdictOf('one-trouble-of-many');
  expect(many).toMatch(/one trouble of many: 10\.0\.0\.5:5432[^]*the trouble with 10\.0\.0\.5:5432 is over/);
  expect(many).not.toMatch(/flaky|failed:/);
  expect(await verdictOf('another-configuration')).toMatch(/r-1\.0 passed as "batch 16"/);
  expect(await text('hedging-at-the-end')).toMatch(
    /finished r-1\.0#2 => cancelSent attemptSettled attemptSettled taskSettled/,
  );
  expect(await text('slow-worker-left-out')).toMatch(/s-2: assign a-7: r-3\.0#1[^]*s-2: assign a-8: r-3\.1#1/);
  expect(await text('history-changes-the-order')).toMatch(/assign a-1: r-1\.0#1[^]*assign a-5: r-2\.3#1/);
});
