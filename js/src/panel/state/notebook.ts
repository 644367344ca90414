// The notebook around a panel: scrolls to a line of one of its cells.
import { SHOW_CELL, type ShowCell } from "#shared/cells";

/** Scroll to the line of a cell, or to the cell where its lines are not drawn; false where there is none. */
export async function showLine(
  notebook: Element,
  cell: number,
  line: number | null,
): Promise<boolean> {
  // of the cells that are out of sight, a page without the lab extension may have nothing
  const offered = (globalThis as { [SHOW_CELL]?: ShowCell })[SHOW_CELL];
  const found = (await offered?.(notebook, cell)) ?? cellOnPage(notebook, cell);
  const lines = found?.querySelectorAll(".cm-content > .cm-line") ?? [];
  const place = (line === null ? undefined : lines[line - 1]) ?? found;
  place?.scrollIntoView({ block: "center" });
  return !!place;
}

function cellOnPage(notebook: Element, cell: number): Element | undefined {
  const numbers = new Map<number, Element>();
  let running: Element | undefined;
  for (const each of notebook.querySelectorAll(".jp-CodeCell")) {
    const prompt = each.querySelector(".jp-InputPrompt")?.textContent?.trim() ?? "";
    if (prompt === "[*]:") running ??= each;
    else numbers.set(parseInt(prompt.slice(1)), each);
  }
  // a cell that runs shows no number, and has the highest
  const latest = Math.max(0, ...[...numbers.keys()].filter(Number.isFinite));
  return numbers.get(cell) ?? (cell > latest ? running : undefined);
}
