// Total orders. Strings compare by code unit, which is the same everywhere; a locale's order is the reader's business.

/** Negative when `a` comes first. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
