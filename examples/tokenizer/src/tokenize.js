/**
 * Splits an arithmetic expression into numbers, operators and parentheses.
 * @param {string} text
 * @returns {string[]}
 */
export function tokenize(text) {
  const tokens = [];
  const pattern = /\s*(\d+(?:\.\d+)?|[-+*/()])/y;
  const trimmed = text.trimEnd();
  while (pattern.lastIndex < trimmed.length) {
    const rest = trimmed.slice(pattern.lastIndex);
    const match = pattern.exec(trimmed);
    if (match === null)
      throw new SyntaxError(`unexpected "${rest.trimStart()[0]}" before "${rest.trimStart().slice(1)}"`);
    tokens.push(match[1]);
  }
  return tokens;
}
