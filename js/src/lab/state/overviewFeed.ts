// The source of a page's overview. Of all the pages of one browser only one, the leader, polls the server and hands each
// answer to the others: a browser keeps six connections to a server, and held requests must not take them up.
import { Poll } from "@lumino/polling";
import type { Overview } from "#shared/serverTypes";
import { RequestFailed } from "#shared/messages/outcomes";
import type { Server } from "./serverApi";

export interface News {
  overview: Overview | null;
  /** Why the server cannot be reached; null while it answers. */
  failure: { kind: "missing" | "down"; message: string } | null;
  /** When the overview came, by this machine's clock. */
  at: number;
}

/** Seconds that the server may hold a request while nothing changes. */
const HOLD_S = 25;
/** The shortest interval between two requests, however much happens. */
const SHORTEST_MS = 250;
const HIDDEN_MS = 2_000;
/** While nothing is open and no page is visible. The server forgets pages sooner, and polls no service then. */
const ASLEEP_MS = 300_000;
const HIDDEN_ALONE_MS = 30_000;
const MISSING_MS = 60_000;
const RETRY = { interval: 1_000, backoff: 2, max: 8_000 };
/** A visible page tells the leader so, this often. */
const VISIBLE_MS = 20_000;
/** A page that has received nothing for so long asks for itself. */
const SILENCE_MS = 45_000;

type ChannelMessage = { type: "news"; news: News } | { type: "visible" } | { type: "joined" };

export class Feed {
  private since: number | null = null;
  private last: News | null = null;
  private channel: BroadcastChannel | null = null;
  private poll: Poll | null = null;
  private asking = false;
  private receivedAt = 0;
  private otherVisibleAt = 0;
  private readonly stopped = new AbortController();

  constructor(
    private readonly server: Pick<Server, "baseUrl" | "overview">,
    private readonly onNews: (news: News) => void,
  ) {}

  start(): void {
    document.addEventListener("visibilitychange", this.onVisible);
    window.addEventListener("online", this.onVisible);
    const name = `qsession-widgets ${this.server.baseUrl}`;
    // only in secure contexts; elsewhere every page polls for itself
    const locks = navigator.locks as LockManager | undefined;
    if (!locks || typeof BroadcastChannel === "undefined") {
      void this.lead();
      return;
    }
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = (event) => this.receive(event.data as ChannelMessage);
    this.receivedAt = Date.now();
    this.post({ type: "joined" });
    const { signal } = this.stopped;
    locks.request(name, { signal }, () => this.lead()).catch(() => undefined);
    void this.follow();
  }

  stop(): void {
    this.stopped.abort();
    this.poll?.dispose();
    this.channel?.close();
    document.removeEventListener("visibilitychange", this.onVisible);
    window.removeEventListener("online", this.onVisible);
  }

  /** Poll now: a user did or wants something. */
  poke(): void {
    if (!this.poll) this.post({ type: "visible" });
    else if (!this.asking) {
      const interval = SHORTEST_MS;
      const cancel = ({ phase }: { phase: string }) => phase === "refreshed";
      void this.poll.schedule({ interval, phase: "refreshed", cancel });
    }
  }

  private readonly onVisible = () => {
    if (!document.hidden) this.poke();
  };

  private post(message: ChannelMessage): void {
    this.channel?.postMessage(message);
  }

  private receive(message: ChannelMessage): void {
    if (message.type === "news") {
      if (this.poll) return;
      this.receivedAt = Date.now();
      this.last = message.news;
      this.onNews(message.news);
    } else if (this.poll) {
      this.otherVisibleAt = Date.now();
      if (message.type === "joined" && this.last) this.post({ type: "news", news: this.last });
      this.poke();
    }
  }

  /** Poll until the page goes; the lock of the leader is held for as long. */
  private lead(): Promise<void> {
    const poll = new Poll({
      name: "qsession-widgets:overview",
      factory: () => this.ask(),
      // a hidden page may be the leader of visible ones: `frequency` decides
      standby: "never",
      auto: false,
    });
    this.poll = poll;
    void poll.start();
    return new Promise((resolve) => poll.disposed.connect(() => resolve()));
  }

  /** One request. It rejects while the server is down, so that the poll backs off. */
  private async ask(): Promise<void> {
    this.asking = true;
    try {
      const hold = this.since === null || this.isHiddenAlone ? 0 : HOLD_S;
      const overview = await this.server.overview(this.since, hold, this.stopped.signal);
      this.since = overview.revision;
      this.publish({ overview, failure: null, at: Date.now() });
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      // a server that was started again counts from the beginning
      this.since = null;
      const known = error instanceof RequestFailed;
      const kind = known && error.kind === "missing" ? "missing" : "down";
      const message = known ? error.message : String(error);
      const { overview = null, at = 0 } = this.last ?? {};
      this.publish({ overview, failure: { kind, message }, at });
      if (kind === "down") throw error;
    } finally {
      this.asking = false;
    }
  }

  /** Many pages, each polling for itself, must not hold a request each while they are hidden. */
  private get isHiddenAlone(): boolean {
    return this.channel === null && document.hidden;
  }

  private publish(news: News): void {
    this.last = news;
    if (this.poll) this.poll.frequency = this.frequency(news);
    this.onNews(news);
    this.post({ type: "news", news });
  }

  private frequency({ overview, failure }: News): Poll["frequency"] {
    if (failure?.kind === "down") return RETRY;
    const open = overview?.workloads.some(({ snapshot }) => snapshot.state !== "closed");
    const visible = !document.hidden || Date.now() - this.otherVisibleAt < 2 * VISIBLE_MS;
    const interval = failure
      ? MISSING_MS
      : this.isHiddenAlone
        ? HIDDEN_ALONE_MS
        : visible
          ? SHORTEST_MS
          : open
            ? HIDDEN_MS
            : ASLEEP_MS;
    return { interval, backoff: false, max: interval };
  }

  /** While another page leads: tell it when this one is visible, and ask once when it stays silent. */
  private async follow(): Promise<void> {
    while (!this.stopped.signal.aborted && !this.poll) {
      await new Promise((resolve) => setTimeout(resolve, VISIBLE_MS));
      if (this.poll || document.hidden) continue;
      this.post({ type: "visible" });
      if (Date.now() - this.receivedAt < SILENCE_MS) continue;
      try {
        const overview = await this.server.overview(null, 0, this.stopped.signal);
        this.onNews({ overview, failure: null, at: Date.now() });
        this.receivedAt = Date.now();
      } catch {
        // the leader reports it, or this page once it leads
      }
    }
  }
}
