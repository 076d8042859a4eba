import { expect, test } from 'vitest';
import { ansiToHtml } from './ansi-html.ts';

test('colours and bold become spans, and end where they end', () => {
  expect(ansiToHtml('a \u001b[31mred\u001b[39m \u001b[1m\u001b[32mboth\u001b[0m b')).toBe(
    'a <span style="color:#ff7b72">red</span> <span style="font-weight:700;color:#7ee787">both</span> b',
  );
});

test('text cannot become markup', () => {
  expect(ansiToHtml('<b>&')).toBe('&lt;b&gt;&amp;');
});
