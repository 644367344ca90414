// The sessions whose panel's model is on this page, by id: widgets that draw one part of a panel find it here.

/** Draws a part of a panel into an element, and returns what takes it away. */
export type Draw = (part: string, el: HTMLElement) => () => void;

interface OpenPanels {
  drawers: Map<string, Draw[]>;
  watchers: Set<() => void>;
}

const KEY = Symbol.for("qsession-widgets.panels.1");

function open(): OpenPanels {
  const page = globalThis as unknown as Record<symbol, OpenPanels | undefined>;
  return (page[KEY] ??= { drawers: new Map(), watchers: new Set() });
}

/** Let parts of this session be drawn with this function; the result ends that. */
export function offerParts(session: string, draw: Draw): () => void {
  const { drawers, watchers } = open();
  drawers.set(session, [...(drawers.get(session) ?? []), draw]);
  for (const watcher of [...watchers]) watcher();
  return () => {
    const left = (drawers.get(session) ?? []).filter((each) => each !== draw);
    drawers.set(session, left);
    for (const watcher of [...watchers]) watcher();
  };
}

/** The newest model of a session's panel on this page. */
export function panelOf(session: string): Draw | undefined {
  return open().drawers.get(session)?.at(-1);
}

export function watchPanels(watcher: () => void): () => void {
  const { watchers } = open();
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
