import { expect, test } from 'vitest';
import { AssayError } from '@assay/protocol';
import { createLog } from './log.ts';

test('a line is one JSON object with its level, and errors keep their code and stack', () => {
  const lines: string[] = [];
  createLog((line) => lines.push(line)).warn('the disk\nis slow', { error: new AssayError('JOURNAL_TORN', 'torn') });
  expect(lines).toHaveLength(1);
  expect(lines[0]!.indexOf('\n')).toBe(lines[0]!.length - 1);
  const line = JSON.parse(lines[0]!) as Record<string, Record<string, unknown>>;
  expect(line).toMatchObject({
    level: 'warn',
    message: 'the disk\nis slow',
    error: { code: 'JOURNAL_TORN', message: 'torn' },
  });
  expect(line['error']!['stack']).toContain('log.test');
});

test('what could hold a secret is masked at any depth', () => {
  const lines: string[] = [];
  createLog((line) => lines.push(line)).info('x', {
    headers: { Authorization: 'Bearer abc' },
    suite: [{ env: { KEY: 'abc' }, clientSecret: 'abc' }],
  });
  expect(lines[0]).not.toContain('abc');
  expect(lines[0]).toContain('[masked]');
});
