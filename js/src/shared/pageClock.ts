// One clock for all that is drawn on a page: whatever is drawn between two ticks shows the instant of the first of them.
// Panels and JupyterLab's half are bundles of their own, so the clock lives on globalThis.

/** Milliseconds between two instants that are shown. */
export const EVERY_MS = 250;

export interface Ticking {
  /** Milliseconds until something else is shown; Infinity while nothing moves. */
  delay(): number;
  tick(): void;
}

class PageClock {
  readonly #due = new Map<Ticking, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #held = 0;

  constructor() {
    globalThis.document?.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#draw([...this.#due.keys()]);
      this.reschedule();
    });
  }

  /** The instant to draw, in milliseconds by this machine's clock; all surfaces are drawn as of the same one. */
  instant(): number {
    const late = Date.now() - this.#held;
    // nothing has ticked for long, or this machine's clock was set back
    if (late < 0 || late >= 2 * EVERY_MS) this.#held = Date.now();
    return this.#held;
  }

  add(member: Ticking): () => void {
    this.reschedule(member);
    return () => {
      this.#due.delete(member);
      this.#plan();
    };
  }

  /** Look again at when the next tick of a member, or of all, is due. */
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
    const at = Date.now() + Math.max(1, next - performance.now());
    // timers may fire a moment early
    const wait = Math.ceil(at / EVERY_MS) * EVERY_MS - Date.now() + 2;
    this.#timer = setTimeout(() => this.#run(), wait);
  }

  #run(): void {
    const now = performance.now();
    this.#draw([...this.#due].filter(([, due]) => due <= now + 5).map(([member]) => member));
    this.#plan();
  }

  #draw(members: readonly Ticking[]): void {
    this.#held = Date.now();
    for (const member of members) {
      member.tick();
      if (this.#due.has(member)) this.#due.set(member, performance.now() + member.delay());
    }
  }
}

const KEY = Symbol.for("qsession-widgets.page-clock.1");
const page = globalThis as unknown as Record<symbol, PageClock | undefined>;

export function pageClock(): PageClock {
  return (page[KEY] ??= new PageClock());
}

/** Calls at every instant that is shown while the page can be seen, until the function it gives back is called. */
export function everyTick(callback: () => void): () => void {
  return pageClock().add({ delay: () => 1, tick: callback });
}
