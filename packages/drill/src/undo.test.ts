import { expect, test } from 'vitest';
import { UndoStack } from './undo.ts';

test('everything is taken back in reverse order, once, whatever fails between', async () => {
  const undo = new UndoStack();
  const order: string[] = [];
  undo.add('first', () => void order.push('first'));
  undo.add('second', () => {
    order.push('second');
    throw new Error('it is stuck');
  });
  const third = undo.add('third', () => void order.push('third'));
  undo.add('fourth', () => Promise.resolve(void order.push('fourth')));
  await third();
  await third();
  expect(undo.open).toEqual(['first', 'second', 'fourth']);
  expect(await undo.all()).toEqual(['second: it is stuck']);
  expect(order).toEqual(['third', 'fourth', 'second', 'first']);
  expect(await undo.all()).toEqual([]);
});
