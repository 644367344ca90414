// The part of a long list that is in sight: only those rows are in the page.
import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { JobRecord } from "#shared/snapshot.gen";

const OVERSCAN = 6;

interface Listed {
  job: JobRecord;
  index: number;
}

interface RowsProps {
  jobs: JobRecord[];
  total: number;
  windowed: boolean;
  selected: string | null;
  children: (visible: Listed[], before: number, after: number) => ComponentChild;
}

export function Rows({ jobs, total, windowed, selected, children }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, rows: 12, height: 33 });

  const measure = () => {
    const el = box.current;
    if (!el) return;
    const row = el.querySelector<HTMLElement>("tr.qs-row");
    const height = row?.offsetHeight || view.height;
    const rows = Math.ceil((el.clientHeight || 320) / height);
    const top = Math.floor(el.scrollTop / height);
    if (top !== view.top || rows !== view.rows || height !== view.height)
      setView({ top, rows, height });
  };
  useEffect(measure, [windowed, total]);
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
      aria-label="All jobs"
      onScroll={measure}
    >
      {children(visible, first * view.height, (total - last) * view.height)}
    </div>
  );
}

/** Stands for the rows out of sight. */
export function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr class="qs-spacer" aria-hidden="true">
      <td colSpan={7} style={{ height: `${height}px`, padding: "0", border: "0" }} />
    </tr>
  );
}
