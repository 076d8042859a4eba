import { tokenize } from './tokenize.js';

/**
 * Evaluates an arithmetic expression by recursive descent.
 * @param {string} text
 * @returns {number}
 */
export function evaluate(text) {
  const tokens = tokenize(text);
  let position = 0;
  const sum = () => {
    let value = product();
    while (tokens[position] === '+' || tokens[position] === '-')
      value = tokens[position++] === '+' ? value + product() : value - product();
    return value;
  };
  const product = () => {
    let value = atom();
    while (tokens[position] === '*' || tokens[position] === '/')
      value = tokens[position++] === '*' ? value * atom() : value / atom();
    return value;
  };
  const atom = () => {
    const token = tokens[position++];
    if (token === '-') return -atom();
    if (token !== '(') {
      if (token === undefined || Number.isNaN(Number(token)))
        throw new SyntaxError(`a number was expected, not ${token ?? 'the end'}`);
      return Number(token);
    }
    const value = sum();
    if (tokens[position++] !== ')') throw new SyntaxError('a parenthesis is not closed');
    return value;
  };
  const value = sum();
  if (position < tokens.length) throw new SyntaxError(`unexpected ${tokens[position]}`);
  return value;
}
