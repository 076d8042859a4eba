import { expect, test } from 'vitest';
import { parseJUnit } from './junit.ts';

function cases(xml: string): unknown {
  const read = parseJUnit(xml, 'report.xml');
  return read.kind === 'cases' ? read.cases : `${read.code}: ${read.reason}`;
}

test('suites nest to their cases, and class names that repeat the suite are left out', () => {
  const xml = `<?xml version="1.0"?>
    <testsuites><testsuite name="outer"><!-- note --><testsuite name="inner">
      <testcase name="one" classname="inner" time="1.5"/>
      <testcase name="two" classname="pkg.Class" time="1,234.5" line="7"><error type="E">boom &#x41;&amp;&lt;</error></testcase>
      <testcase name="three"><skipped message="later"/></testcase>
    </testsuite></testsuite></testsuites>`;
  expect(cases(xml)).toEqual([
    { path: ['outer', 'inner', 'one'], status: 'passed', durationMs: 1_500 },
    {
      path: ['outer', 'inner', 'pkg.Class', 'two'],
      status: 'failed',
      durationMs: 1_234_500,
      failure: { message: 'boom A&<', stack: 'boom A&<' },
      line: 7,
    },
    { path: ['outer', 'inner', 'three'], status: 'skipped', durationMs: 0 },
  ]);
});

test('CDATA is text, and attributes are decoded once', () => {
  const xml =
    '<testsuite name="a"><testcase name="x &amp;lt; &#10;y"><failure message="m"><![CDATA[<b> & ]]></failure></testcase></testsuite>';
  expect(cases(xml)).toEqual([
    { path: ['a', 'x &lt; \ny'], status: 'failed', durationMs: 0, failure: { message: 'm', stack: '<b> &' } },
  ]);
});

test.each([
  ['', 'no element'],
  ['not xml', 'no element'],
  ['<testsuite><testcase name="a"/>', '<testsuite> is not closed'],
  ['<testsuite><testcase></testsuite>', '</testsuite> closes <testcase>'],
  ['<testsuite/><testsuite/>', 'more than one top element'],
  ['<testsuite a=b/>', 'is no XML'],
  ['<html/>', 'neither testsuites nor testsuite'],
  ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite/>', 'DOCTYPE'],
  [`${'<testsuite name="n">'.repeat(60)}${'</testsuite>'.repeat(60)}`, 'deeper than'],
])('%s is refused: %s', (xml, reason) => {
  expect(cases(xml)).toContain('REPORT_CORRUPT');
  expect(cases(xml)).toContain(reason);
});

test('entities of its own are never expanded', () => {
  expect(cases('<testsuite><testcase name="&lol;"/></testsuite>')).toEqual([
    { path: ['&lol;'], status: 'passed', durationMs: 0 },
  ]);
});
