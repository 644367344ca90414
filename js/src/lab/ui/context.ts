// What the components are given, and how they are drawn again: at news, and while they can be seen at every tick.
import { useEffect, useState } from "preact/hooks";
import type { Actions } from "../actions";
import type { Which, Workload } from "../contract";
import type { Sessions } from "../sessions";
import { everyTick } from "../ticks";

export interface Context {
  sessions: Sessions;
  actions: Actions;
  /** Ask which of all open ones to close, then close those. */
  closeAll(): void;
  showPanel(): void;
  /** Put the focus where the reader works. */
  backToWork(): void;
  openNotebook(workload: Workload): void;
  attach(workload: Workload): void;
  end(deed: "close" | "cancel", which: Which): void;
  /** Calls back when the reader goes to another notebook or its kernel changes. */
  onPlace(callback: () => void): () => void;
}

/** Draws the component again at news; and, while it `ticks`, a few times a second. */
export function useNews(context: Context, ticks: boolean): void {
  const [, draw] = useState(0);
  const again = () => draw((count) => count + 1);
  useEffect(() => {
    const stops = [context.sessions.subscribe(again), context.onPlace(again)];
    return () => stops.forEach((stop) => stop());
  }, [context]);
  useEffect(() => (ticks ? everyTick(again) : undefined), [ticks]);
}
