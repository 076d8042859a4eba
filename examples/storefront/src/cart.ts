import { add, type Money, money, percent } from './money.ts';

export type Item = { readonly sku: string; readonly price: Money; readonly quantity: number };

/** A cart: adding the same article again raises its quantity. */
export class Cart {
  readonly #items = new Map<string, Item>();

  put(sku: string, price: Money, quantity = 1): void {
    if (quantity < 1) throw new RangeError('the quantity must be at least 1');
    const known = this.#items.get(sku);
    this.#items.set(sku, { sku, price, quantity: (known?.quantity ?? 0) + quantity });
  }

  remove(sku: string): boolean {
    return this.#items.delete(sku);
  }

  get items(): Item[] {
    return [...this.#items.values()];
  }

  subtotal(): Money {
    return this.items.reduce(
      (sum, { price, quantity }) => add(sum, money(price.cents * quantity, price.currency)),
      money(0),
    );
  }

  /** Ten per cent off from 100.00 on. */
  total(): Money {
    const subtotal = this.subtotal();
    return subtotal.cents >= 10_000 ? add(subtotal, money(-percent(subtotal, 10).cents)) : subtotal;
  }
}
