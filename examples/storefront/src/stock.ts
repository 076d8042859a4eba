/** What is on the shelf; reservations expire. */
export class Stock {
  readonly #onHand = new Map<string, number>();
  readonly #reserved: { sku: string; quantity: number; untilMs: number }[] = [];

  receive(sku: string, quantity: number): void {
    this.#onHand.set(sku, (this.#onHand.get(sku) ?? 0) + quantity);
  }

  available(sku: string, nowMs: number): number {
    const held = this.#reserved
      .filter((each) => each.sku === sku && each.untilMs > nowMs)
      .reduce((sum, { quantity }) => sum + quantity, 0);
    return (this.#onHand.get(sku) ?? 0) - held;
  }

  reserve(sku: string, quantity: number, nowMs: number, forMs = 60_000): boolean {
    if (this.available(sku, nowMs) < quantity) return false;
    this.#reserved.push({ sku, quantity, untilMs: nowMs + forMs });
    return true;
  }
}
