// Where a job was sent from: cell and line, which a click scrolls to in a notebook.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JobRecord } from "#shared/snapshot.gen";
import { cellPlace } from "../state/jobTimes";

/** `[5]:14`, or the number of the cell alone. */
export function cellWords({ cell, line }: JobRecord): string {
  return cell === null ? "–" : `[${cell}]${line === null ? "" : `:${line}`}`;
}

export function CellLink({ job, words }: { job: JobRecord; words: string }) {
  const root = useRef<HTMLSpanElement>(null);
  const [notebook, setNotebook] = useState<Element | null>(null);
  const [missing, setMissing] = useState(false);
  useLayoutEffect(() => setNotebook(root.current!.closest(".jp-Notebook")), []);
  const show = (event: MouseEvent) => {
    event.stopPropagation();
    const place = placeOf(notebook!, job.cell!, job.line);
    setMissing(!place);
    place?.scrollIntoView({ block: "center" });
  };
  return (
    <span ref={root}>
      {notebook && job.cell !== null ? (
        <button
          type="button"
          class="qs-link qs-to-cell"
          title={`Scroll to ${cellPlace(job)}`}
          aria-label={`Scroll to ${cellPlace(job)}`}
          onClick={show}
        >
          {words}
        </button>
      ) : (
        words
      )}
      <span role="status" class={missing ? "qs-warn" : "qs-sr"}>
        {missing ? " not there: deleted, or run again" : ""}
      </span>
    </span>
  );
}

/** The line of a notebook's cell, or the cell where its lines are not drawn; undefined where there is none. */
function placeOf(notebook: Element, cell: number, line: number | null): Element | undefined {
  const numbers = new Map<number, Element>();
  let running: Element | undefined;
  for (const each of notebook.querySelectorAll(".jp-CodeCell")) {
    const prompt = each.querySelector(".jp-InputPrompt")?.textContent?.trim() ?? "";
    if (prompt === "[*]:") running ??= each;
    else numbers.set(parseInt(prompt.slice(1)), each);
  }
  // a cell that runs shows no number, and has the highest
  const latest = Math.max(0, ...[...numbers.keys()].filter(Number.isFinite));
  const found = numbers.get(cell) ?? (cell > latest ? running : undefined);
  const lines = found?.querySelectorAll(".cm-content > .cm-line") ?? [];
  return (line === null ? undefined : lines[line - 1]) ?? found;
}
