// The context of the components, and when they redraw: at news, and at every tick while they are visible.
import { useEffect, useState } from "preact/hooks";
import type { Actions } from "../state/actions";
import type { WorkloadRef, Workload } from "#shared/serverTypes";
import type { Sessions } from "../state/overviewStore";
import { everyTick } from "#shared/pageClock";

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
  end(action: "close" | "cancel", which: WorkloadRef): void;
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
