// Scrolls a notebook to the cell that a job was sent from, for the panel in it. JupyterLab takes cells out of the page that
// are out of sight (windowing mode "full"), so that only the notebook itself can bring one back. Offered on the page under
// a versioned name, as serverSessionControl.ts is.
import type { INotebookTracker, Notebook } from "@jupyterlab/notebook";
import { SHOW_CELL, type ShowCell } from "#shared/cells";

/** A notebook may be scrolled elsewhere meanwhile, and then never says that it has arrived. */
const SCROLL_MS = 1_000;

/** Members that the models of code cells alone have. */
interface Execution {
  readonly executionCount?: number | null;
  readonly executionState?: string;
}

export function makeShowCell(tracker: Pick<INotebookTracker, "forEach">): ShowCell {
  return async (inside, count) => {
    let notebook: Notebook | undefined;
    tracker.forEach(({ content }) => {
      if (content.node.contains(inside)) notebook = content;
    });
    const at = notebook ? indexOfCell(notebook.widgets, count) : -1;
    if (!notebook || at < 0) return null;
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, SCROLL_MS));
    const scrolled = notebook.scrollToItem(at, "center").catch(() => undefined);
    await Promise.race([scrolled, timeout]);
    return notebook.widgets[at]?.node ?? null;
  };
}

/** The place of the cell that ran as this number, below zero where there is none. */
export function indexOfCell(cells: readonly { readonly model: object }[], count: number): number {
  const executions = cells.map(({ model }) => model as Execution);
  const counts = executions.map(({ executionCount }) => executionCount ?? 0);
  const found = counts.indexOf(count);
  if (found >= 0 || count <= Math.max(0, ...counts)) return found;
  // a cell that runs has no number yet, and will have the highest
  return executions.findIndex(({ executionState }) => executionState === "running");
}

export function offerShowCell(show: ShowCell): void {
  (globalThis as { [SHOW_CELL]?: ShowCell })[SHOW_CELL] = show;
}
