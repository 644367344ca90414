// Prices set by the user, by session, for the lifetime of the page: a cell that runs again makes another panel of the
// same session, with the same price. Every panel's bundle is a module of its own, so they live on globalThis.

class OwnPrices {
  readonly #prices = new Map<string, number>();
  readonly #watching = new Set<() => void>();

  /** The reader's own price; null while the plan's holds. */
  of(sessionId: string): number | null {
    return this.#prices.get(sessionId) ?? null;
  }

  set(sessionId: string, dollarsPerSecond: number | null): void {
    if (dollarsPerSecond === null) this.#prices.delete(sessionId);
    else this.#prices.set(sessionId, dollarsPerSecond);
    for (const changed of [...this.#watching]) changed();
  }

  /** Be told of every new price; the result ends that. */
  watch(changed: () => void): () => void {
    this.#watching.add(changed);
    return () => this.#watching.delete(changed);
  }
}

const KEY = Symbol.for("qsession-widgets.prices.2");
const page = globalThis as unknown as Record<symbol, OwnPrices | undefined>;

export function ownPrices(): OwnPrices {
  return (page[KEY] ??= new OwnPrices());
}
