// One timer for all panels of a page. Every panel's bundle is a module of its own, so it lives on globalThis.

export interface Ticking {
  /** Milliseconds until this panel shows something else; Infinity while nothing moves. */
  delay(): number;
  tick(): void;
}

class Ticker {
  readonly #due = new Map<Ticking, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      for (const member of this.#due.keys()) if (!document.hidden) member.tick();
      this.reschedule();
    });
  }

  add(member: Ticking): () => void {
    this.reschedule(member);
    return () => {
      this.#due.delete(member);
      this.#plan();
    };
  }

  /** Look again at when the next tick of a panel, or of all, is due. */
  reschedule(member?: Ticking): void {
    const now = performance.now();
    for (const each of member ? [member] : this.#due.keys())
      this.#due.set(each, now + each.delay());
    this.#plan();
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const next = Math.min(...this.#due.values());
    if (document.hidden || next === Infinity) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(20, next - performance.now()));
  }

  #run(): void {
    const now = performance.now();
    for (const [member, due] of [...this.#due]) {
      if (due > now + 5) continue;
      member.tick();
      if (this.#due.has(member)) this.#due.set(member, performance.now() + member.delay());
    }
    this.#plan();
  }
}

const KEY = Symbol.for("qsession-widgets.ticker.1");
const page = globalThis as unknown as Record<symbol, Ticker | undefined>;

export function ticker(): Ticker {
  return (page[KEY] ??= new Ticker());
}
