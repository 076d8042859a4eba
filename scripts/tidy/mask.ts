// Blanks out what is not code, so that a rule can look for words without tripping over comments, strings and regular
// expressions. It is a scanner and no parser: fast, and good enough for formatted TypeScript and JavaScript.
// What always holds: the result has the same length and the same line breaks, so positions carry over; quotes stay.

const regexMayFollow = /(?:[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|yield|await))\s*$/;

/** The source with the contents of comments, strings and regular expressions replaced by spaces. */
export function maskSource(source: string): string {
  let masked = '';
  let at = 0;
  const templateDepths: number[] = [];
  let braces = 0;
  const blankTo = (end: number): void => {
    masked += source.slice(at, end).replaceAll(/[^\n]/g, ' ');
    at = end;
  };
  const quoted = (end: number): void => {
    masked += source[at];
    at += 1;
    blankTo(end - 1);
    masked += source[at] ?? '';
    at = end;
  };
  while (at < source.length) {
    const char = source.charAt(at);
    const pair = source.slice(at, at + 2);
    if (pair === '//' || (pair === '#!' && at === 0)) blankTo(indexOrEnd(source, '\n', at));
    else if (pair === '/*') blankTo(Math.min(indexOrEnd(source, '*/', at) + 2, source.length));
    else if (char === "'" || char === '"') quoted(endOfString(source, at, char));
    else if (char === '/' && regexMayFollow.test(masked.slice(-80))) quoted(endOfRegex(source, at));
    else if (char === '`') {
      const end = endOfTemplatePart(source, at + 1);
      if (source.startsWith('${', end - 2)) templateDepths.push(braces);
      blankTo(end);
    } else if (char === '}' && templateDepths.at(-1) === braces) {
      const end = endOfTemplatePart(source, at + 1);
      if (!source.startsWith('${', end - 2)) templateDepths.pop();
      blankTo(end);
    } else {
      if (char === '{') braces += 1;
      if (char === '}') braces -= 1;
      masked += char;
      at += 1;
    }
  }
  return masked;
}

function indexOrEnd(source: string, text: string, from: number): number {
  const found = source.indexOf(text, from);
  return found === -1 ? source.length : found;
}

function endOfString(source: string, start: number, quote: string): number {
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === quote || source[at] === '\n') return at + 1;
  }
  return source.length;
}

function endOfRegex(source: string, start: number): number {
  let isInClass = false;
  for (let at = start + 1; at < source.length; at += 1) {
    const char = source[at];
    if (char === '\\') at += 1;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if ((char === '/' && !isInClass) || char === '\n') return at + 1;
  }
  return source.length;
}

/** Just after the closing backtick, or after the "${" that interrupts the template. */
function endOfTemplatePart(source: string, start: number): number {
  for (let at = start; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === '`') return at + 1;
    else if (source.startsWith('${', at)) return at + 2;
  }
  return source.length;
}
