// Plain tables: columns as wide as their widest cell on a terminal, cut with an ellipsis where the terminal is narrower.
import { createRequire } from 'node:module';
import type stringWidthOf from 'string-width';

const require = createRequire(import.meta.url);
let widthOfAny: typeof stringWidthOf | null = null;

/** Columns on a terminal. What knows of wide characters takes a quarter of a second to load: plain text does not wait for it. */
function stringWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  widthOfAny ??= (require('string-width') as { default: typeof stringWidthOf }).default;
  return widthOfAny(text);
}

/** Rows of cells under a header. `width` is the terminal's, 0 for no limit: the last column gives way first. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const widths = header.map((title, column) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const last = widths.length - 1;
  const taken = widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0);
  if (width > 0 && taken + (widths[last] ?? 0) > width) widths[last] = Math.max(8, width - taken);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === last
          ? cut(cell, widths[column] ?? 0)
          : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell))),
      )
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
}

/** Cuts to a display width, with an ellipsis. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (stringWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
