import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { renderSummary } from '../render/summary.ts';
import { hostile, reportFixture } from '../testing/report-fixture.ts';
import { faultText, troubledTasks } from './attribution.ts';
import { toCtrf } from './ctrf.ts';
import { toJson } from './json.ts';
import { toJUnit } from './junit.ts';
import { toMarkdown } from './markdown.ts';

const report = reportFixture();
const plain = (text: string): string => stripVTControlCharacters(text);

test('every form of the report says whose fault it was, how sure that is and by which attempts', () => {
  expect(plain(renderSummary(report, (_, text) => text))).toContain(
    'a.test.ts [batch 16] › device (proven by attempts 1 and 2)',
  );
  expect(toMarkdown(report)).toMatch(/## Whose fault it was \(1\)\n[^]*device \(proven by attempts 1 and 2\)/);
  expect(JSON.parse(toJson(report)).files[0]).toMatchObject({
    variant: 'batch 16',
    diagnosis: { fault: 'device', confidence: 'proven', attempts: [1, 2] },
  });
  expect(toJUnit(report)).toContain('<property name="assay.fault" value="device"/>');
  const [first] = JSON.parse(toCtrf(report)).results.tests;
  expect(first.extra.assay).toMatchObject({ fault: 'device', variant: 'batch 16' });
});

test('another configuration than the one that was asked for goes under its own name', () => {
  expect(toJUnit(report)).toContain('<testsuite name="a.test.ts [batch 16]"');
});

test('what a diagnosis quotes cannot steer a terminal, break a table or a document', () => {
  const shown = renderSummary(report, (_, text) => text);
  expect(shown).not.toContain('\u001b[31m');
  expect(shown).not.toContain('\u0000');
  const row = toMarkdown(report)
    .split('\n')
    .find((line) => line.startsWith('| a.test.ts'));
  expect(row?.replaceAll('\\|', '').split('|')).toHaveLength(6);
  expect(toJUnit(report)).not.toContain(hostile);
});

test('a plain assertion failure needs no sentence beside its message', () => {
  const [entry] = report.tasks;
  const diagnosis = { ...entry!.task.diagnosis!, rule: 'assertion', fault: 'test' as const };
  const only = { ...report, tasks: [{ ...entry!, task: { ...entry!.task, diagnosis } }] };
  expect(troubledTasks(only)).toEqual([]);
  expect(faultText({ ...diagnosis, attempts: [1], confidence: 'open' })).toBe('test (not told apart by attempt 1)');
});
