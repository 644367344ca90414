// The SVG layer of the present: pending jobs, the growing idle time, the now-line, the picked job. It moves at every tick
// without plotly; only its bars take the pointer, everything else passes it to the chart below.
import { useState } from "preact/hooks";
import { activePeriods, busySpans, pendingJobs } from "#shared/metrics";
import { formatCount, plural } from "#shared/formatting";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import type { Bar } from "./bins";
import { liveBars } from "./jobSpans";
import { LIMITS_STRIP, type ChartScale } from "./scale";
import { limits, placeWords } from "./limits";
import { details } from "../state/jobTimes";
import { Tip } from "./Tip";
import { gapWords, LABEL_ROOM } from "./traces";

interface Props {
  snapshot: SessionSnapshot;
  now: number;
  frame: ChartScale;
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
  const waiting = jobs.filter((job) => job.status === "queued").length;
  const waitsFrom = Math.max(0, frame.left(Math.min(...waits.map(({ begin }) => begin))));
  // on its bar, or where that is too short behind the lane's name: before it there may be other waits
  const roomy = Math.min(nowAt, plotWidth) - waitsFrom > LABEL_ROOM * size.scale;
  const marked = limits(snapshot, now)
    .map(({ at, words }) => ({ x: margin.l + frame.left(at), words }))
    .filter(({ x }) => x >= margin.l && x <= margin.l + plotWidth);
  // lines end above the strip of their words, which then cover none
  const bottom = margin.t + plotHeight - (marked.length > 0 ? LIMITS_STRIP * size.scale : 0);
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
                {gapWords(snapshot, now - idle, nowAt - idleFrom)}
              </text>
            )}
          {picked && (
            <rect
              class="qs-live-picked"
              {...(picked.started === null
                ? box(picked.created, picked.finished ?? now, frame.wait.row, frame.wait.height)
                : box(picked.started, picked.finished ?? now, own, 0.7))}
              rx="2"
            />
          )}
        </svg>
        {waiting > 0 && (
          <text
            class="qs-live-count"
            x={margin.l + (roomy ? waitsFrom + 4 : -4)}
            y={margin.t + frame.top(frame.wait.row)}
            dy="0.35em"
            text-anchor={roomy ? "start" : "end"}
          >
            {roomy ? plural(waiting, "job waits", "jobs wait") : formatCount(waiting)}
          </text>
        )}
        {marked.map(({ x }) => (
          <line key={x} class="qs-live-limit" x1={x} x2={x} y1={margin.t - 3} y2={bottom} />
        ))}
        {placeWords(marked, margin.l, margin.l + plotWidth - 3, size.scale).map(
          ({ x, words, anchor }) => (
            <text
              key={words}
              class="qs-live-count"
              x={x}
              y={margin.t + plotHeight - 3 * size.scale}
              text-anchor={anchor}
            >
              {words}
            </text>
          ),
        )}
        {snapshot.state !== "closed" && nowAt >= 0 && nowAt <= plotWidth && (
          <line
            class="qs-live-now"
            x1={margin.l + nowAt}
            x2={margin.l + nowAt}
            y1={margin.t - 3}
            y2={bottom}
          />
        )}
      </svg>
      {pointed && shown && (
        <Tip x={margin.l + pointed.box.x} y={margin.t + pointed.box.y} width={size.width}>
          {pointed.job ? details(pointed.job, now) : [plural(pointed.bar.count, "pending job")]}
        </Tip>
      )}
    </>
  );
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
