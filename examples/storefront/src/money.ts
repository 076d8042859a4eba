// Amounts in the smallest unit of a currency (cents), as integers: no sum ever loses a cent.

export type Money = { readonly cents: number; readonly currency: string };

export function money(cents: number, currency = 'EUR'): Money {
  if (!Number.isSafeInteger(cents)) throw new RangeError(`${cents} is not a whole number of cents`);
  return { cents, currency };
}

export function add(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new TypeError(`cannot add ${b.currency} to ${a.currency}`);
  return money(a.cents + b.cents, a.currency);
}

/** A share of an amount, rounded half up. */
export function percent(amount: Money, rate: number): Money {
  return money(Math.round((amount.cents * rate) / 100), amount.currency);
}

/** Splits an amount into parts that differ by at most one cent and add up to it. */
export function split(amount: Money, parts: number): Money[] {
  const base = Math.floor(amount.cents / parts);
  const rest = amount.cents - base * parts;
  return Array.from({ length: parts }, (_, index) => money(base + (index < rest ? 1 : 0), amount.currency));
}
