// Where a page's overview comes from. Of all the pages of one browser only one asks the server, and hands what it
// hears to the others: a browser keeps six connections to a server, and held requests must not take them up.
import type { Overview } from "./contract";
import { RequestFailed } from "./failures";
import type { Server } from "./server";

export interface News {
  overview: Overview | null;
  /** What is wrong with reaching the server; null while it answers. */
  failure: { kind: "missing" | "down"; message: string } | null;
  /** When the overview came, by this machine's clock. */
  at: number;
}

const WAIT_S = 25;
/** At least this long between two requests, however much happens. */
const GAP_MS = 250;
const HIDDEN_GAP_MS = 2_000;
/** Nothing is open and nobody looks: the server forgets about pages in less, and asks no service any more. */
const ASLEEP_MS = 300_000;
const ASIDE_MS = 30_000;
const MISSING_MS = 60_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8_000;
/** A page that looks tells so, this often. */
const LOOKING_MS = 20_000;
/** A page that has heard nothing for so long asks for itself. */
const SILENCE_MS = 45_000;

type Heard = { type: "news"; news: News } | { type: "looking" } | { type: "ask" };

export class Feed {
  private since: number | null = null;
  private retry = FIRST_RETRY_MS;
  private last: News | null = null;
  private channel: BroadcastChannel | null = null;
  private asks = false;
  private heardAt = 0;
  private otherLooks = 0;
  private wake: () => void = () => undefined;
  private stopped = new AbortController();

  constructor(
    private readonly server: Server,
    private readonly heard: (news: News) => void,
  ) {}

  start(): void {
    document.addEventListener("visibilitychange", this.looked);
    window.addEventListener("online", this.looked);
    const name = `qsession-widgets ${this.server.baseUrl}`;
    // only in secure contexts; elsewhere every page asks for itself
    const locks = navigator.locks as LockManager | undefined;
    if (!locks || typeof BroadcastChannel === "undefined") {
      void this.run();
      return;
    }
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = (event) => this.told(event.data as Heard);
    this.heardAt = Date.now();
    this.tell({ type: "ask" });
    const { signal } = this.stopped;
    locks.request(name, { signal }, () => this.run()).catch(() => undefined);
    void this.mindSilence();
  }

  stop(): void {
    this.stopped.abort();
    this.wake();
    this.channel?.close();
    document.removeEventListener("visibilitychange", this.looked);
    window.removeEventListener("online", this.looked);
  }

  /** Ask now: somebody did or wants something. */
  poke(): void {
    this.retry = FIRST_RETRY_MS;
    if (this.asks) this.wake();
    else this.tell({ type: "looking" });
  }

  private readonly looked = () => {
    if (!document.hidden) this.poke();
  };

  private tell(message: Heard): void {
    this.channel?.postMessage(message);
  }

  private told(message: Heard): void {
    if (message.type === "news" && !this.asks) {
      this.heardAt = Date.now();
      this.last = message.news;
      this.heard(message.news);
    } else if (message.type === "looking") {
      this.otherLooks = Date.now();
      if (this.asks) this.wake();
    } else if (message.type === "ask" && this.asks && this.last) {
      this.otherLooks = Date.now();
      this.tell({ type: "news", news: this.last });
      this.wake();
    }
  }

  private async run(): Promise<void> {
    this.asks = true;
    while (!this.stopped.signal.aborted) {
      await this.ask();
      await this.pause(this.gap());
    }
  }

  private async ask(): Promise<void> {
    try {
      const wait = this.since === null || this.aside() ? 0 : WAIT_S;
      const overview = await this.server.overview(this.since, wait, this.stopped.signal);
      this.since = overview.revision;
      this.retry = FIRST_RETRY_MS;
      this.spread({ overview, failure: null, at: Date.now() });
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      // a server that was started again counts from the beginning
      this.since = null;
      const known = error instanceof RequestFailed;
      const kind = known && error.kind === "missing" ? "missing" : "down";
      const message = known ? error.message : String(error);
      const { overview = null, at = 0 } = this.last ?? {};
      this.spread({ overview, failure: { kind, message }, at });
    }
  }

  /** Many pages, each asking for itself, must not hold a request each while nobody looks at them. */
  private aside(): boolean {
    return this.channel === null && document.hidden;
  }

  private spread(news: News): void {
    this.last = news;
    this.heard(news);
    this.tell({ type: "news", news });
  }

  private gap(): number {
    const failure = this.last?.failure;
    if (failure?.kind === "missing") return MISSING_MS;
    if (failure) {
      this.retry = Math.min(LAST_RETRY_MS, this.retry * 2);
      return this.retry;
    }
    if (this.aside()) return ASIDE_MS;
    if (!document.hidden || Date.now() - this.otherLooks < 2 * LOOKING_MS) return GAP_MS;
    const open = this.last?.overview?.workloads.some(({ snapshot }) => snapshot.state !== "closed");
    return open ? HIDDEN_GAP_MS : ASLEEP_MS;
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        // even who is woken keeps to the shortest gap
        setTimeout(resolve, GAP_MS);
      };
    });
  }

  /** While another page asks: say that this one looks, and step in should nothing come. */
  private async mindSilence(): Promise<void> {
    while (!this.stopped.signal.aborted && !this.asks) {
      await new Promise((resolve) => setTimeout(resolve, LOOKING_MS));
      if (this.asks || document.hidden) continue;
      this.tell({ type: "looking" });
      if (Date.now() - this.heardAt < SILENCE_MS) continue;
      try {
        const overview = await this.server.overview(null, 0, this.stopped.signal);
        this.heard({ overview, failure: null, at: Date.now() });
        this.heardAt = Date.now();
      } catch {
        // the page that asks will say so, or this one in its turn
      }
    }
  }
}
