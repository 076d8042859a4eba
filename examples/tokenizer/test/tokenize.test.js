import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tokenize } from '../src/tokenize.js';

describe('tokenize', () => {
  test('splits numbers and operators', () =>
    assert.deepEqual(tokenize('1 + 2.5*(3)'), ['1', '+', '2.5', '*', '(', '3', ')']));
  test('of nothing is nothing', () => assert.deepEqual(tokenize('   '), []));
  test('names what it does not know', () => assert.throws(() => tokenize('1 + x'), /unexpected "x"/));
  test('exponents', { todo: 'not yet' }, () => assert.deepEqual(tokenize('2^3'), ['2', '^', '3']));
});
