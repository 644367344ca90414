// The part of a long list that is in sight: only those rows are in the page.
import { t } from "#shared/translation";
import type { ComponentChild } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JobRecord } from "#shared/snapshot.gen";
import type { Order } from "../state/jobList";
import { COLUMNS } from "./JobRow";

const OVERSCAN = 6;

interface Listed {
  job: JobRecord;
  index: number;
}

interface RowsProps {
  jobs: JobRecord[];
  order: Order;
  windowed: boolean;
  selected: string | null;
  children: (visible: Listed[], before: number, after: number) => ComponentChild;
}

export function Rows({ jobs, order, windowed, selected, children }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, rows: 12, height: 33 });
  /** The topmost row in sight, and where it is in the list. */
  const topmost = useRef<Listed | null>(null);
  const listed = useRef(order);
  const total = jobs.length;

  const measure = () => {
    const el = box.current;
    if (!el) return;
    const height = pitch(el) || view.height;
    const rows = Math.ceil((el.clientHeight || 320) / height);
    const top = Math.floor(el.scrollTop / height);
    const job = jobs[top];
    topmost.current = job ? { job, index: top } : null;
    if (top !== view.top || rows !== view.rows || height !== view.height)
      setView({ top, rows, height });
  };
  useLayoutEffect(() => {
    const el = box.current;
    if (el && windowed) {
      const seen = topmost.current;
      if (listed.current !== order) el.scrollTop = 0;
      // jobs come in above what is being read: that must not move; who looks at the newest sees them come
      else if (seen && seen.index > 0) {
        const index = jobs.findIndex((job) => job.id === seen.job.id);
        if (index >= 0) el.scrollTop += (index - seen.index) * view.height;
      }
      listed.current = order;
    }
    measure();
  }, [jobs, order, windowed]);
  useEffect(() => {
    const index = selected === null ? -1 : jobs.findIndex((job) => job.id === selected);
    const el = box.current;
    if (!windowed || index < 0 || !el) return;
    const at = index * view.height;
    if (at < el.scrollTop || at > el.scrollTop + el.clientHeight - 2 * view.height) {
      el.scrollTop = Math.max(0, at - el.clientHeight / 2);
    }
  }, [selected, windowed]);

  if (!windowed)
    return (
      <div class="qs-rows">
        {children(
          jobs.map((job, index) => ({ job, index })),
          0,
          0,
        )}
      </div>
    );
  const first = Math.max(0, Math.min(view.top - OVERSCAN, total - view.rows));
  const last = Math.min(total, view.top + view.rows + OVERSCAN);
  const visible = jobs.slice(first, last).map((job, i) => ({ job, index: first + i }));
  return (
    <div
      ref={box}
      class="qs-rows qs-window"
      tabIndex={0}
      role="region"
      aria-label={t`All jobs`}
      onScroll={measure}
    >
      {children(visible, first * view.height, (total - last) * view.height)}
    </div>
  );
}

/** From one row to the next; borders that rows share make that more than a row's height. */
function pitch(el: HTMLElement): number {
  const [one, next] = el.querySelectorAll("tr.qs-row");
  if (!one) return 0;
  const { top, height } = one.getBoundingClientRect();
  return next ? next.getBoundingClientRect().top - top : height;
}

/** Stands for the rows out of sight. */
export function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr class="qs-spacer" aria-hidden="true">
      <td colSpan={COLUMNS} style={{ height: `${height}px`, padding: "0", border: "0" }} />
    </tr>
  );
}
