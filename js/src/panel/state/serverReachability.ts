// Whether the page reaches its Jupyter server. JupyterLab reports a kernel as connected for 10 to 30 s after the server is
// gone. So the page asks for itself: one request for all of its panels, which needs no login and does not count as use
// of the server, and none while the page is hidden.

const ASK_EVERY_MS = 10_000;
/** One missing answer is not a lost server: the request is repeated before listeners are told. */
const ASK_AGAIN_MS = 2_000;
const TIMEOUT_MS = 8_000;
/** Statuses of a proxy for an unreachable server, and of JupyterHub for one that it has stopped. */
const NOT_ITS_OWN = [424, 502, 503, 504];

/** The parts of JupyterLab's server settings that are used. */
export interface ServerSettings {
  readonly baseUrl: string;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly Request: new (url: string, init: RequestInit) => Request;
}

type Listener = () => void;

export class ServerReachability {
  reached = true;
  #missed = 0;
  #asking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<Listener>();
  readonly #askNow = () => void this.#ask();

  constructor(private readonly settings: ServerSettings) {}

  /** Be told when the server is lost or found; the result ends that. */
  watch(listener: Listener): () => void {
    if (this.#listeners.size === 0) {
      document.addEventListener("visibilitychange", this.#askNow);
      for (const event of ["online", "offline"]) window.addEventListener(event, this.#askNow);
    }
    this.#listeners.add(listener);
    this.#plan();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      document.removeEventListener("visibilitychange", this.#askNow);
      for (const event of ["online", "offline"]) window.removeEventListener(event, this.#askNow);
    };
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#listeners.size === 0 || document.hidden) return;
    this.#timer = setTimeout(this.#askNow, this.#missed > 0 ? ASK_AGAIN_MS : ASK_EVERY_MS);
  }

  async #ask(): Promise<void> {
    if (this.#asking || document.hidden) return;
    this.#asking = true;
    this.#missed = (await this.#answers()) ? 0 : this.#missed + 1;
    this.#asking = false;
    const reached = this.#missed === 0 || (this.#missed === 1 && this.reached);
    if (reached !== this.reached) {
      this.reached = reached;
      for (const listener of [...this.#listeners]) listener();
    }
    this.#plan();
  }

  async #answers(): Promise<boolean> {
    const { baseUrl, fetch, Request } = this.settings;
    const init: RequestInit = { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) };
    try {
      return !NOT_ITS_OWN.includes((await fetch(new Request(`${baseUrl}api`, init))).status);
    } catch {
      return false;
    }
  }
}

const KEY = Symbol.for("qsession-widgets.server-reachability.2");

/** The one instance for all panels of this page. */
export function reachabilityOf(settings: ServerSettings): ServerReachability {
  const page = globalThis as unknown as Record<symbol, Map<string, ServerReachability> | undefined>;
  const known = (page[KEY] ??= new Map());
  let reach = known.get(settings.baseUrl);
  if (!reach) known.set(settings.baseUrl, (reach = new ServerReachability(settings)));
  return reach;
}
