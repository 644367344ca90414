// Scale and layout of the timeline, shared by plotly's chart of the past and the SVG layer of the present.
import type { SessionSnapshot } from "#shared/snapshot.gen";
import { sumsOf } from "#shared/jobAggregates";
import type { Lanes, Range } from "./jobSpans";
import { limits } from "./limits";

const COLOR_NAMES = [
  "text",
  "muted",
  "done",
  "queued",
  "other",
  "other-run",
  "cancelled",
  "failed",
  "warning",
  "band",
  "off-band",
  "bg",
] as const;
export type Colors = Record<(typeof COLOR_NAMES)[number], string> & {
  font: string;
  /** Whether they are the reader's few, in place of ours. */
  forced: boolean;
};

/** The theme's colours, resolved: plotly knows no CSS variables. */
export function readColors(el: HTMLElement): Colors {
  const style = getComputedStyle(el);
  const probe = document.createElement("span");
  // where the reader forces colours, a colour that is asked for is the forced one
  probe.className = "qs-probe";
  el.appendChild(probe);
  const colors = {
    font: style.fontFamily,
    forced: matchMedia("(forced-colors: active)").matches,
  } as Colors;
  for (const name of COLOR_NAMES) {
    probe.style.color = `var(--qs-${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colors;
}

/** An end so near, as a share of the time so far, is in the picture. */
const NEAR = 0.25;

/** Reused jobs of earlier are in the picture where not more than so many times its length is empty before it. */
const EMPTY = 3;

/** The whole session, with a little room after now, or up to an end that is near. */
export function chartRange(snapshot: SessionSnapshot, now: number): Range {
  const first = snapshot.jobs.find((job) => !job.stray)?.created ?? now;
  const from = firstReused(snapshot, Math.min(snapshot.opened_at ?? first, first), now);
  const lastRun = Math.max(snapshot.last_job_completed ?? from, snapshot.closed_at ?? from);
  const until = snapshot.state === "closed" ? lastRun : now;
  const past = Math.max(20, until - from);
  const near = limits(snapshot, now).map(({ at }) => at - from);
  const span = Math.max(past, ...near.filter((end) => end <= (1 + NEAR) * past));
  return [from - 0.01 * span, from + 1.03 * span];
}

/** Where the picture begins of a session that begins then: with the jobs that it has taken up, if they are near. */
function firstReused({ jobs }: SessionSnapshot, begin: number, now: number): number {
  if (sumsOf(jobs).reusedOutside === 0) return begin;
  const earlier = jobs.filter((job) => job.reused && job.stray && job.started !== null);
  const first = Math.min(begin, ...earlier.map((job) => job.started!));
  const last = Math.max(first, ...earlier.map((job) => job.finished ?? first));
  const drawn = last - first + Math.max(20, now - begin);
  return begin - last <= EMPTY * drawn ? first : begin;
}

/** The letters' size that all lengths are made for. */
const USUAL_LETTERS = 13;

/** The place a chart has, and how large the reader's letters are in it; 1 is usual. */
export interface ChartBox {
  width: number;
  scale: number;
}

export function boxOf(el: HTMLElement): ChartBox {
  const letters = parseFloat(getComputedStyle(el).fontSize) || USUAL_LETTERS;
  return { width: Math.round(el.clientWidth), scale: letters / USUAL_LETTERS };
}

export interface Size extends ChartBox {
  height: number;
  narrow: boolean;
  margin: { l: number; r: number; t: number; b: number };
  plotWidth: number;
  plotHeight: number;
}

/** Room right of the plot: half of the widest label of its axis, which may stand below its edge. */
const RIGHT = 26;

/** Heights are those of css/timeline.css, and it is narrow where css/base.css says so. */
export function sizeOf({ width, scale }: ChartBox, rows: 1 | 2): Size {
  const narrow = width <= 559 * scale;
  const height = (rows === 2 ? 178 : 138) * scale;
  const margin = { l: (narrow ? 66 : 112) * scale, r: RIGHT * scale, t: 24 * scale, b: 26 * scale };
  return {
    width,
    scale,
    height,
    narrow,
    margin,
    plotWidth: Math.max(80, width - margin.l - margin.r),
    plotHeight: height - margin.t - margin.b,
  };
}

/** The strip below the lowest bars in which the words at limits stand, in pixels of usual letters. */
export const LIMITS_STRIP = 13;

/** How far the vertical axis reaches below the middle of its lowest row, and above that of this session's runs. */
export const BELOW = 0.68;
export const ABOVE = 0.95;
/** The lane of waiting jobs, above the runs: nothing else is drawn in it. */
const WAIT = { above: 0.68, height: 0.24 };

export class ChartScale {
  readonly size: Size;
  /** The row of this session; other users' is below it, at 0. */
  readonly own: number;

  constructor(
    readonly range: Range,
    place: ChartBox,
    readonly rows: 1 | 2,
    readonly lanes: Lanes,
  ) {
    this.size = sizeOf(place, rows);
    this.own = rows - 1;
  }

  /** Pixels that so many seconds are wide. */
  pixels(seconds: number): number {
    return (seconds / (this.range[1] - this.range[0])) * this.size.plotWidth;
  }

  /** Height of a run's bar, in rows. */
  get barHeight(): number {
    return this.lanes.count > 1 ? 0.86 / this.lanes.count : 0.6;
  }

  /** The middle of a run's bar, in rows; null for a bar of several jobs. */
  runRow(id: string | null): number {
    if (this.lanes.count === 1 || id === null) return this.own;
    return this.own + 0.43 - (this.lanes.of(id) + 0.5) * this.barHeight;
  }

  /** The middle and the height of a wait's bar, in rows. */
  get wait(): { row: number; height: number } {
    return { row: this.own + WAIT.above, height: WAIT.height };
  }

  /** Pixels from the left edge of the plot. */
  left(time: number): number {
    return this.pixels(time - this.range[0]);
  }

  /** Pixels from the top edge of the plot. */
  top(row: number): number {
    return (this.own + ABOVE - row) * this.rowHeight;
  }

  get rowHeight(): number {
    return this.size.plotHeight / (this.own + BELOW + ABOVE);
  }
}
