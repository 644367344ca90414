// Whether this page reaches its Jupyter server. JupyterLab goes on calling a kernel connected for as long as the server is
// gone, for it looks for the kernel first, every 10 to 30 s. So the page asks for itself: one question for all of its
// panels, which needs no login and does not count as use of the server, and none while nobody looks at the page.

const ASK_EVERY_MS = 10_000;
/** One answer that fails to come is not a lost server: it is asked again before anybody is told. */
const ASK_AGAIN_MS = 2_000;
const PATIENCE_MS = 8_000;
/** What a proxy says of a server that it does not reach, and JupyterHub of one that it has stopped. */
const NOT_ITS_OWN = [424, 502, 503, 504];

/** What is used of JupyterLab's settings of a server. */
export interface ServerSettings {
  readonly baseUrl: string;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly Request: new (url: string, init: RequestInit) => Request;
}

type Listener = () => void;

export class Reach {
  reached = true;
  private missed = 0;
  private asking = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<Listener>();
  private readonly askNow = () => void this.ask();

  constructor(private readonly settings: ServerSettings) {}

  /** Be told when the server is lost or found; the result ends that. */
  watch(listener: Listener): () => void {
    if (this.listeners.size === 0) {
      document.addEventListener("visibilitychange", this.askNow);
      for (const event of ["online", "offline"]) window.addEventListener(event, this.askNow);
    }
    this.listeners.add(listener);
    this.plan();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearTimeout(this.timer);
      document.removeEventListener("visibilitychange", this.askNow);
      for (const event of ["online", "offline"]) window.removeEventListener(event, this.askNow);
    };
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (this.listeners.size === 0 || document.hidden) return;
    this.timer = setTimeout(this.askNow, this.missed > 0 ? ASK_AGAIN_MS : ASK_EVERY_MS);
  }

  private async ask(): Promise<void> {
    if (this.asking || document.hidden) return;
    this.asking = true;
    this.missed = (await this.answers()) ? 0 : this.missed + 1;
    this.asking = false;
    const reached = this.missed === 0 || (this.missed === 1 && this.reached);
    if (reached !== this.reached) {
      this.reached = reached;
      for (const listener of [...this.listeners]) listener();
    }
    this.plan();
  }

  private async answers(): Promise<boolean> {
    const { baseUrl, fetch, Request } = this.settings;
    const init: RequestInit = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
    try {
      return !NOT_ITS_OWN.includes((await fetch(new Request(`${baseUrl}api`, init))).status);
    } catch {
      return false;
    }
  }
}

const KEY = Symbol.for("qsession-widgets.reach.1");

/** What all panels of this page know of a server. */
export function reachOf(settings: ServerSettings): Reach {
  const page = globalThis as unknown as Record<symbol, Map<string, Reach> | undefined>;
  const known = (page[KEY] ??= new Map());
  let reach = known.get(settings.baseUrl);
  if (!reach) known.set(settings.baseUrl, (reach = new Reach(settings)));
  return reach;
}
