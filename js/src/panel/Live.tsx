// What goes on now, over the timeline's past: pending jobs, the idle time that grows, the now-line, the picked job.
// It moves at every tick without plotly; only its bars take the pointer, all else belongs to what is below.
import { useState } from "preact/hooks";
import { activePeriods, busySpans, pendingJobs } from "#shared/countdowns";
import { plural } from "#shared/format";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import type { Bar } from "./bins";
import { liveBars } from "./blocks";
import type { Frame } from "./frame";
import { details } from "./jobtimes";
import { idleWords, LABEL_ROOM } from "./traces";

interface Props {
  snapshot: SessionSnapshot;
  now: number;
  frame: Frame;
  selected: string | null;
  onSelect: (id: string | null) => void;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function Live({ snapshot, now, frame, selected, onSelect }: Props) {
  const [pointed, setPointed] = useState<{ job: JobRecord | null; bar: Bar; box: Box } | null>(
    null,
  );
  const { size, range, own } = frame;
  const { margin, plotWidth, plotHeight } = size;
  const { waits, runs, jobs } = liveBars(snapshot, now, range, plotWidth);
  const box = (begin: number, end: number, row: number, height: number): Box => {
    const [left, right] = [
      Math.max(-8, frame.left(begin)),
      Math.min(plotWidth + 8, frame.left(end)),
    ];
    const tall = height * frame.rowHeight;
    return {
      x: left,
      y: frame.top(row) - tall / 2,
      width: Math.max(1, right - left),
      height: tall,
    };
  };
  const draw = (bar: Bar, kind: "queued" | "running") => {
    const job = bar.index === null ? null : jobs[bar.index]!;
    const wait = frame.wait;
    const place =
      kind === "queued"
        ? box(bar.begin, bar.end, wait.row, wait.height)
        : box(bar.begin, bar.end, frame.runRow(job?.id ?? null), frame.barHeight * 0.94);
    return (
      <rect
        key={`${kind}-${job?.id ?? bar.begin}`}
        class={`qs-live-bar qs-live-${kind}`}
        {...place}
        rx="2"
        onPointerEnter={() => setPointed({ job, bar, box: place })}
        onPointerLeave={() => setPointed(null)}
        onClick={() => job && onSelect(job.id)}
      />
    );
  };
  const idle = idleNow(snapshot, now);
  const idleFrom = idle === null ? 0 : frame.left(idle);
  const nowAt = frame.left(now);
  const picked = selected === null ? null : snapshot.jobs.find((job) => job.id === selected);
  const shown = pointed && (pointed.job === null || jobs.some((job) => job.id === pointed.job!.id));
  return (
    <>
      <svg class="qs-live-layer" aria-hidden="true" width={size.width} height={size.height}>
        <svg x={margin.l} y={margin.t} width={plotWidth} height={plotHeight}>
          {waits.map((bar) => draw(bar, "queued"))}
          {runs.map((bar) => draw(bar, "running"))}
          {idle !== null && nowAt - idleFrom >= 4 && (
            <line
              class="qs-live-idle"
              x1={idleFrom}
              x2={nowAt}
              y1={frame.top(own)}
              y2={frame.top(own)}
            />
          )}
          {idle !== null &&
            Math.min(nowAt, plotWidth) - Math.max(0, idleFrom) >= LABEL_ROOM * size.scale && (
              <text class="qs-live-words" x={Math.max(0, idleFrom) + 5} y={frame.top(own) - 6}>
                {idleWords(snapshot, now - idle, nowAt - idleFrom)}
              </text>
            )}
          {picked && (
            <rect
              class="qs-live-picked"
              {...box(picked.created, picked.finished ?? now, own, 0.68)}
              rx="2"
            />
          )}
        </svg>
        {snapshot.state !== "closed" && nowAt >= 0 && nowAt <= plotWidth && (
          <line
            class="qs-live-now"
            x1={margin.l + nowAt}
            x2={margin.l + nowAt}
            y1={margin.t - 3}
            y2={margin.t + plotHeight}
          />
        )}
      </svg>
      {pointed && shown && (
        <div
          class="qs-live-tip"
          aria-hidden="true"
          style={tipPlace(margin.l + pointed.box.x, margin.t + pointed.box.y, size.width)}
        >
          {pointed.job
            ? details(pointed.job, now).map((line, i) =>
                i === 0 ? <b>{line}</b> : <div>{line}</div>,
              )
            : plural(pointed.bar.count, "pending job")}
        </div>
      )}
    </>
  );
}

/** On the side of the bar where there is room. */
function tipPlace(left: number, top: number, width: number) {
  const side = left > width / 2 ? { right: `${width - left + 6}px` } : { left: `${left + 10}px` };
  return { ...side, top: `${Math.max(2, top - 12)}px` };
}

/** Since when the session has been idle and billed; null while it is not. */
function idleNow(snapshot: SessionSnapshot, now: number): number | null {
  if (snapshot.mode !== "dedicated" || snapshot.state !== "active") return null;
  if (pendingJobs(snapshot).length > 0) return null;
  const runs = busySpans(snapshot, now);
  const ended = runs[runs.length - 1]?.[1];
  const periods = activePeriods(snapshot, now);
  const active = periods[periods.length - 1]?.[0];
  return ended === undefined || active === undefined ? null : Math.max(ended, active);
}
