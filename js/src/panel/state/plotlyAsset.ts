// Plotly, once per page: the first panel that needs it asks its kernel, and all share the module that arrives.

export interface PlotlyElement extends HTMLElement {
  on(event: string, handler: (data: never) => void): void;
  removeAllListeners(event: string): void;
}

export interface Plotly {
  react(el: HTMLElement, data: unknown[], layout: unknown, config: unknown): Promise<unknown>;
  purge(el: HTMLElement): void;
}

interface Shared {
  promise: Promise<Plotly>;
  resolve: (plotly: Plotly) => void;
  loaded: boolean;
  /** When somebody last asked for it; asked again only when no answer came. */
  askedAt: number;
  /** Milliseconds until it is asked for again: longer each time, for the answer is large. */
  retryMs: number;
}

const KEY = Symbol.for("qsession-widgets.plotly.3");
const FIRST_RETRY_MS = 4_000;
const LONGEST_RETRY_MS = 32_000;

function shared(): Shared {
  const page = globalThis as unknown as Record<symbol, Shared | undefined>;
  const known = page[KEY];
  if (known) return known;
  let resolve: (plotly: Plotly) => void = () => {};
  const promise = new Promise<Plotly>((done) => (resolve = done));
  const retryMs = FIRST_RETRY_MS;
  return (page[KEY] = { promise, resolve, loaded: false, askedAt: -Infinity, retryMs });
}

/** Plotly when it has come; of all panels of the page that want it, one at a time asks for it. */
export function plotly(ask: () => void): Promise<Plotly> {
  const slot = shared();
  const now = performance.now();
  const first = slot.askedAt === -Infinity;
  if (!slot.loaded && (first || now - slot.askedAt > slot.retryMs)) {
    if (!first) slot.retryMs = Math.min(LONGEST_RETRY_MS, 2 * slot.retryMs);
    slot.askedAt = now;
    ask();
  }
  return slot.promise;
}

export async function deliverPlotly(buffer: DataView, gzip: boolean): Promise<void> {
  const slot = shared();
  if (slot.loaded) return;
  slot.loaded = true;
  try {
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
    const source = gzip ? await gunzip(bytes) : bytes;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      const module = (await import(/* @vite-ignore */ url)) as { default: Plotly };
      slot.resolve(module.default);
    } finally {
      URL.revokeObjectURL(url);
    }
  } catch (error) {
    slot.loaded = false;
    console.warn("qsession-widgets: the timeline's chart library could not be loaded", error);
  }
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
