// The bars and dashes of the timeline's past as plotly's traces: jobs of this session, of others, and priced gaps.
import { t } from "#shared/translation";
import { gaps, lastGap, medianGap, type Gap } from "#shared/suggestions";
import { amount, type Span } from "#shared/metrics";
import { formatDuration, formatMoney, plural } from "#shared/formatting";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import { SINGLE_BARS, toBars, type Bar, type Block } from "./bins";
import { WEIGHTS, type JobBars } from "./jobSpans";
import { note, toAxis, type Scene } from "./chart";
import { details } from "../state/jobTimes";

type Marked = Partial<Record<string, string>>;

/** Plotly's patterns of runs that are told by more than a colour. */
const PATTERNS: Marked = { reused: "/" };
/** Those where the reader forces colours, of which there are too few; css/readers.css has the same. */
const FORCED_PATTERNS: Marked = { failed: "x", cancelled: "-" };

export function ownTraces(scene: Scene, bars: JobBars) {
  const { snapshot, frame, colors } = scene;
  const job = (index: number) => snapshot.jobs[index]!;
  const { row, height } = frame.wait;
  // a job that ended without running has no place among the runs, which it would cover
  const y = (bar: Bar) =>
    bar.index === null
      ? frame.runRow(null)
      : job(bar.index).started === null
        ? row
        : frame.runRow(job(bar.index).id);
  const runs = frame.barHeight * 0.94;
  const run = { y, height: (bar: Bar) => (y(bar) === row ? height : runs), job };
  return [
    trace(scene, bars.waits, {
      y: () => row,
      height: () => height,
      color: colors.queued,
      job,
      many: "waited",
    }),
    ...(["reused", "done", "cancelled", "failed"] as const).map((look) => {
      const shown = bars.runs.filter((bar) => WEIGHTS[bar.weight - 1] === look);
      const color = colors[look === "reused" ? "done" : look];
      const pattern = PATTERNS[look] ?? (colors.forced ? FORCED_PATTERNS[look] : undefined);
      return trace(scene, shown, { ...run, color, pattern, many: look });
    }),
  ].filter((each) => each.x.length > 0);
}

export function otherTraces(scene: Scene) {
  const { snapshot, now, frame, colors } = scene;
  if (frame.own === 0) return [];
  const waits: Block[] = [];
  const runs: Block[] = [];
  snapshot.others.forEach(([created, started, finished], index) => {
    const end = started ?? finished ?? now;
    waits.push({ begin: created, end, weight: 1, index });
    if (started !== null) runs.push({ begin: started, end: finished ?? now, weight: 1, index });
  });
  const cut = (blocks: Block[]) =>
    toBars(blocks, frame.range[0], frame.range[1], frame.size.plotWidth);
  const look = { y: () => 0, height: () => 0.4, job: null };
  const [wait, run] = [t`other users' jobs, waiting`, t`other users' jobs, running`];
  return [
    trace(scene, cut(waits), { ...look, color: colors.other, many: wait }),
    trace(scene, cut(runs), { ...look, color: colors["other-run"], many: run }),
  ].filter((each) => each.x.length > 0);
}

interface Look {
  y: (bar: Bar) => number;
  height: (bar: Bar) => number;
  color: string;
  pattern?: string | undefined;
  job: ((index: number) => JobRecord) | null;
  /** The hover text of a bar that stands for many jobs. */
  many: string;
}

function trace({ now }: Scene, bars: Bar[], { y, height, color, pattern, job, many }: Look) {
  const text = (bar: Bar) =>
    job && bar.index !== null ? hover(job(bar.index), now) : `${plural(bar.count, "job")}: ${many}`;
  return {
    type: "bar",
    orientation: "h",
    base: bars.map((bar) => toAxis(bar.begin)),
    x: bars.map((bar) => (bar.end - bar.begin) * 1000),
    y: bars.map(y),
    width: bars.map(height),
    marker: {
      color,
      cornerradius: bars.length > SINGLE_BARS ? 0 : 2,
      line: pattern ? { width: 1, color } : { width: 0 },
      ...(pattern && { pattern: { shape: pattern, size: 5, solidity: 0.35, fillmode: "replace" } }),
    },
    customdata: bars.map((bar) => (job && bar.index !== null ? job(bar.index).id : null)),
    hovertext: bars.map(text),
    hoverinfo: "text",
    textposition: "none",
  };
}

function hover(job: JobRecord, now: number): string {
  const [id, ...lines] = details(job, now).map(escapeHtml);
  return [`<b>${id}</b>`, ...lines].join("<br>");
}

// plotly reads a few HTML tags in texts; a job's error is the service's text
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Gaps of which most are narrower are not drawn. */
const NARROWEST = 10;
const MOST = 200;

/** How wide a gap has to be: far from what most of them are, so that equal ones are all drawn or none is. */
function widthWanted(frame: Scene["frame"], all: Gap[]): number {
  const typical = all.length === 0 ? 0 : frame.pixels(medianGap(all));
  return typical >= NARROWEST ? Math.min(NARROWEST, typical / 2) : Math.max(NARROWEST, 2 * typical);
}

/** The gaps between jobs that were billed, as far as they are wide enough to be seen. */
export function idleGaps({ snapshot, frame }: Pick<Scene, "snapshot" | "frame">, periods: Span[]) {
  if (snapshot.mode !== "dedicated") return [];
  const shown: Span[] = [];
  const all = gaps(snapshot);
  const wanted = widthWanted(frame, all);
  for (const { begin, end } of all) {
    if (frame.pixels(end - begin) < wanted) continue;
    for (const [from, to] of periods) {
      const span: Span = [Math.max(begin, from), Math.min(end, to)];
      if (frame.pixels(span[1] - span[0]) >= wanted) shown.push(span);
    }
  }
  // one that lasts is drawn as it grows (LiveLayer.tsx)
  const last = lastGap(snapshot);
  if (last && frame.pixels(last.end - last.begin) >= NARROWEST) shown.push([last.begin, last.end]);
  return shown.slice(-MOST);
}

/** The label of a gap, with its cost. */
export function gapWords(snapshot: SessionSnapshot, seconds: number, room: number): string {
  const dollars = amount(snapshot, seconds);
  const words = t`idle ${formatDuration(seconds)}`;
  if (dollars === null || room < 120) return words;
  const cost = `≈ ${formatMoney(dollars)}`;
  // the legend says so, too
  const would = snapshot.service.charged || room < 170 ? "" : t`would be `;
  return `${words}, ${would}${cost}`;
}

export const LABEL_ROOM = 64;

export function dashes(scene: Scene, periods: Span[]) {
  const { snapshot, frame, colors } = scene;
  const shown = idleGaps(scene, periods);
  const line = { x: [] as (number | null)[], y: [] as (number | null)[] };
  const middles: number[] = [];
  const texts: string[] = [];
  const annotations: unknown[] = [];
  for (const [begin, end] of shown) {
    line.x.push(toAxis(begin), toAxis(end), null);
    line.y.push(frame.own, frame.own, null);
    middles.push(toAxis((begin + end) / 2));
    texts.push(gapWords(snapshot, end - begin, Infinity));
    const room = frame.pixels(end - begin);
    if (room < LABEL_ROOM * frame.size.scale) continue;
    const text = gapWords(snapshot, end - begin, room);
    const place = { y: frame.own, yref: "y", xshift: 4, yshift: 2 };
    annotations.push(note(begin, text, colors.warning, place));
  }
  if (shown.length === 0) return { traces: [], annotations };
  const style = { color: colors.warning, width: 1.5, dash: "3px,3px" };
  const traces = [
    // its ends lie on jobs, which are what a pointer there means
    { type: "scatter", mode: "lines", ...line, line: style, hoverinfo: "skip" },
    {
      type: "scatter",
      mode: "markers",
      x: middles,
      y: middles.map(() => frame.own),
      marker: { size: 14, opacity: 0 },
      hovertext: texts,
      hoverinfo: "text",
    },
  ];
  return { traces, annotations };
}
