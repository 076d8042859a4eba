// The journal holds events as JSON, which has no word for a number that is not finite and writes null in its place: what is read
// back is then another event than the one that the engine decided by. So no event may hold such a number.

export function isWholeAsText(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isWholeAsText);
}
