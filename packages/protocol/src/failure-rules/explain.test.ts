import { expect, test } from 'vitest';
import { errorCatalogue } from '../errors.ts';
import { explainFailure, failureRules } from './explain.ts';
import type { FailureEvidence } from './explain.ts';
import { assertionMessages, kernelMessages, textMessages } from './real-messages.ts';
import { CustomFailureRules } from './rule.ts';
import { isLoopback } from './subject.ts';

const nothing: FailureEvidence = {
  class: 'test',
  code: 'TESTS_FAILED',
  message: '1 case(s) failed.',
  exit: null,
  kernel: '',
  failures: [],
  failuresLeftOut: 0,
  output: '',
  usesDevice: false,
};
const died: Partial<FailureEvidence> = {
  class: 'unknown',
  code: 'RUNNER_DIED',
  exit: { code: null, signal: 'SIGKILL' },
};
const explain = (seen: Partial<FailureEvidence>) => explainFailure({ ...nothing, ...seen });

test.each(textMessages)('$text is explained by $rule, as a message and as the last words', ({ rule, text }) => {
  const said = explain({ failures: [text] });
  expect(said.rule.id).toBe(rule);
  expect(text).toContain(said.rule.matched.slice(0, 20));
  expect(explain({ ...died, output: `before\n${text}\nafter` }).rule).toMatchObject({ id: rule, source: 'output' });
});

test.each(kernelMessages)('$text is explained by $rule, from the kernel alone', ({ rule, text }) => {
  expect(explain({ ...died, kernel: text, usesDevice: true }).rule).toMatchObject({ id: rule, source: 'kernel' });
  // A test that prints the kernel's words is not believed.
  expect(explain({ failures: [text] }).rule.source).not.toBe('kernel');
  expect(explain({ ...died, output: text }).rule.id).not.toBe(rule);
});

test('every rule that reads text or the kernel is shown on a real message', () => {
  const shown = new Set([...kernelMessages, ...textMessages].map(({ rule }) => rule));
  expect(failureRules.filter(({ reads, id }) => reads !== 'exit' && !shown.has(id))).toEqual([]);
});

test('ids are unique, every rule says what it means and whence, and every code is in the catalogue', () => {
  expect(new Set(failureRules.map(({ id }) => id)).size).toBe(failureRules.length);
  for (const rule of failureRules) {
    expect(rule.means.length).toBeGreaterThan(10);
    expect(rule.source.length).toBeGreaterThan(3);
    expect(Object.keys(errorCatalogue)).toContain(rule.code);
    expect(rule.patterns.length > 0).toBe(rule.reads !== 'exit');
    for (const pattern of rule.patterns) expect(pattern.replaceAll('*', '').trim().length).toBeGreaterThanOrEqual(5);
  }
});

test.each(assertionMessages)('an assertion failure is never infrastructure, whatever it says: %s', (text) => {
  expect(explain({ failures: [text] })).toMatchObject({ class: 'test', code: 'TESTS_FAILED' });
  // Nor is a file of which only some failures are explained otherwise.
  expect(explain({ failures: ['Error: connect ECONNREFUSED 10.0.0.5:1', text] })).toMatchObject({ class: 'test' });
  const lenient = [
    { id: 'mine', pattern: text.slice(0, 20).replaceAll('\n', ' '), class: 'infrastructure', code: 'CUSTOM_MINE' },
  ] as const;
  expect(explainFailure({ ...nothing, failures: [text] }, lenient)).toMatchObject({ class: 'test' });
});

test('failures of which one is not explained, or more than were kept, stay the test’s', () => {
  const refused = 'Error: connect ECONNREFUSED 10.0.0.5:5432';
  expect(explain({ failures: [refused, refused] })).toMatchObject({
    class: 'infrastructure',
    code: 'CONNECTION_REFUSED',
  });
  expect(explain({ failures: [refused, 'TypeError: x is not a function'] })).toMatchObject({ class: 'test' });
  expect(explain({ failures: [refused, 'NoSuchSessionError: gone'] })).toMatchObject({ class: 'test' });
  expect(explain({ failures: [refused], failuresLeftOut: 1 })).toMatchObject({ class: 'test' });
});

test('what a device does concerns those that use one, and a kill for memory those that were killed', () => {
  const kernel = 'NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.';
  expect(explain({ failures: ['AssertionError: 3 != 4'], kernel, usesDevice: true })).toMatchObject({
    class: 'device',
    rule: { subject: '0000:3b:00' },
  });
  expect(explain({ failures: ['AssertionError: 3 != 4'], kernel })).toMatchObject({ class: 'test' });
  const killed = 'Memory cgroup out of memory: Killed process 1 (node)';
  expect(explain({ ...died, kernel: killed })).toMatchObject({ class: 'infrastructure', code: 'OUT_OF_MEMORY' });
  expect(explain({ ...died, exit: { code: null, signal: 'SIGSEGV' }, kernel: killed }).code).toBe('CRASHED');
  expect(explain({ failures: ['TypeError: x'], kernel: killed })).toMatchObject({ class: 'test' });
});

test.each([
  [{ code: null, signal: 'SIGSEGV' }, 'test CRASHED'],
  [{ code: 139, signal: null }, 'test CRASHED'],
  [{ code: null, signal: 'SIGABRT' }, 'test ABORTED'],
  [{ code: 132, signal: null }, 'device ILLEGAL_INSTRUCTION'],
  [{ code: 137, signal: null }, 'unknown KILLED'],
  [{ code: 127, signal: null }, 'configuration COMMAND_NOT_FOUND'],
  [{ code: 124, signal: null }, 'timeout COMMAND_TIMED_OUT'],
  [{ code: null, signal: 'SIGTERM' }, 'infrastructure TERMINATED'],
  [{ code: null, signal: 'SIGKILL' }, 'unknown RUNNER_DIED'],
  [{ code: 1, signal: null }, 'unknown RUNNER_DIED'],
  [{ code: 3_221_225_477, signal: null }, 'test CRASHED'],
])('a runner that ended with %j', (exit, said) => {
  const { class: failureClass, code } = explain({ ...died, exit });
  expect(`${failureClass} ${code}`).toBe(said);
});

test('what the agent knows for certain is not explained away', () => {
  for (const code of [
    'CANCELED',
    'TOO_MANY_CASES',
    'NO_TESTS_RAN',
    'REPORT_CORRUPT',
    'SCRATCH_DISK_FULL',
    'SOURCE_UNAVAILABLE',
  ])
    expect(explain({ code, output: 'ECONNREFUSED 10.0.0.1:22', exit: { code: 139, signal: null } }).code).toBe(code);
});

test('a connection names what it was for, and a line of source code does not', () => {
  const subject = (text: string) => explain({ failures: [text] }).rule.subject;
  expect(subject('Error: connect ECONNREFUSED 10.0.0.5:5432\n at a.test.ts:12:3')).toBe('10.0.0.5:5432');
  expect(subject('dial tcp [2001:db8::1]:443: connect: connection refused')).toBe('[2001:db8::1]:443');
  expect(subject('Error: getaddrinfo ENOTFOUND db.internal')).toBe('db.internal');
  expect(subject('a.test.ts:12 Connection refused')).toBeUndefined();
  for (const own of ['127.0.0.1:80', 'localhost:1', '[::1]:5432']) expect(isLoopback(own)).toBe(true);
  for (const other of ['10.0.0.1:80', 'localhost.example:1', 'db.internal']) expect(isLoopback(other)).toBe(false);
});

test('a project’s own rule goes before the built-in ones, and cannot be too wide, too many or claim a code of ours', () => {
  const mine = {
    id: 'license',
    pattern: 'license server * refused',
    class: 'infrastructure',
    code: 'CUSTOM_LICENSE',
  } as const;
  expect(CustomFailureRules.safeParse([mine]).success).toBe(true);
  expect(
    explainFailure({ ...nothing, failures: ['license server lic1:2700 refused: Connection refused'] }, [mine]),
  ).toMatchObject({
    class: 'infrastructure',
    code: 'CUSTOM_LICENSE',
    rule: { id: 'custom/license', source: 'message' },
  });
  const bad = [
    { ...mine, pattern: '*' },
    { ...mine, pattern: 'e * * *' },
    { ...mine, pattern: 'a*b*c*d*e*f*g*h*i*jklmnop' },
    { ...mine, pattern: 'two\nlines of text' },
    { ...mine, code: 'WORKER_LOST' },
    { ...mine, class: 'unknown' },
    { ...mine, id: '../x' },
    { ...mine, reads: 'kernel' },
  ];
  expect(bad.filter((rule) => CustomFailureRules.safeParse([rule]).success)).toEqual([]);
  expect(CustomFailureRules.safeParse([mine, mine]).success).toBe(false);
  expect(CustomFailureRules.safeParse(Array.from({ length: 51 }, (_, n) => ({ ...mine, id: `r${n}` }))).success).toBe(
    false,
  );
});

test('a hostile text against hostile rules is done within a second', () => {
  const hostile = Array.from({ length: 50 }, (_, n) => ({
    id: `r${n}`,
    pattern: `${'a'.repeat(30)}*${'a'.repeat(30)}*${'a'.repeat(30)}*${'a'.repeat(30)}b${n}`,
    class: 'infrastructure' as const,
    code: 'CUSTOM_X',
  }));
  const text = `${'a'.repeat(200_000)}\n${'a1.'.repeat(20_000)}:99\n${'getaddrinfo A'.repeat(5_000)}`;
  const begun = performance.now();
  expect(explainFailure({ ...nothing, failures: Array.from({ length: 40 }, () => text) }, hostile).class).toBe('test');
  explainFailure(
    { ...nothing, failures: [`ECONNREFUSED ${'a-'.repeat(900)}`, `ECONNREFUSED ${'1:'.repeat(900)}`] },
    hostile,
  );
  expect(performance.now() - begun).toBeLessThan(1_000);
});
