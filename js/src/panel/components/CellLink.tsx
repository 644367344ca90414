// Where a job was sent from: cell and line, which a click scrolls to in a notebook.
import { t } from "#shared/translation";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JobRecord } from "#shared/snapshot.gen";
import { cellPlace } from "../state/jobTimes";
import { showLine } from "../state/notebook";

/** `[5]:14`, or the number of the cell alone. */
export function cellWords({ cell, line }: JobRecord): string {
  return cell === null ? "–" : `[${cell}]${line === null ? "" : `:${line}`}`;
}

export function CellLink({ job, words }: { job: JobRecord; words: string }) {
  const root = useRef<HTMLSpanElement>(null);
  const [notebook, setNotebook] = useState<Element | null>(null);
  const [missing, setMissing] = useState(false);
  useLayoutEffect(() => setNotebook(root.current!.closest(".jp-Notebook")), []);
  const show = async (event: MouseEvent) => {
    event.stopPropagation();
    setMissing(!(await showLine(notebook!, job.cell!, job.line)));
  };
  return (
    <span ref={root}>
      {notebook && job.cell !== null ? (
        <button
          type="button"
          class="qs-link qs-to-cell"
          title={t`Scroll to ${cellPlace(job)}`}
          aria-label={t`Scroll to ${cellPlace(job)}`}
          onClick={show}
        >
          {words}
        </button>
      ) : (
        words
      )}
      <span role="status" class={missing ? "qs-warn" : "qs-sr"}>
        {missing ? t` not there: deleted, or run again` : ""}
      </span>
    </span>
  );
}
