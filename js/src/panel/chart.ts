// The timeline as plotly's data and layout: a function of the snapshot, the time, the width and the theme's colours.
import { gaps } from "#shared/advice";
import { noun } from "#shared/consequences";
import { activePeriods, busySpans, pendingJobs, type Span } from "#shared/countdowns";
import { formatClock, formatMoney, formatSeconds, plural } from "#shared/format";
import type { JobRecord, JobStatus, SessionSnapshot } from "#shared/snapshot.gen";
import { SINGLE_BARS, toBars, type Bar, type Block } from "./bins";
import { queuedSeconds, ranSeconds, STATUS_WORDS } from "./Jobs";

/** From, to: service clock. */
export type Range = [number, number];

const COLOR_NAMES = [
  "text",
  "muted",
  "running",
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
export type Colors = Record<(typeof COLOR_NAMES)[number], string> & { font: string };

/** The theme's colours, resolved: plotly knows no CSS variables. */
export function readColors(el: HTMLElement): Colors {
  const style = getComputedStyle(el);
  const probe = document.createElement("span");
  el.appendChild(probe);
  const colors = { font: style.fontFamily } as Colors;
  for (const name of COLOR_NAMES) {
    probe.style.color = `var(--qs-${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colors;
}

export interface ChartOptions {
  range: Range;
  width: number;
  rows: 1 | 2;
  colors: Colors;
  selected: string | null;
}

/** The whole session, with a little room after now. */
export function chartRange(snapshot: SessionSnapshot, now: number): Range {
  const first = snapshot.jobs[0]?.created ?? now;
  const from = Math.min(snapshot.opened_at ?? first, first);
  const lastRun = Math.max(snapshot.last_job_completed ?? from, snapshot.closed_at ?? from);
  const until = snapshot.state === "closed" ? lastRun : now;
  const span = Math.max(20, until - from);
  return [from - 0.01 * span, from + 1.03 * span];
}

/** Service time from a place on plotly's axis: milliseconds, or a date and time in the reader's time zone. */
export function fromAxis(value: unknown): number {
  const shown = typeof value === "number" ? value : Date.parse(String(value).replace(" ", "T"));
  return shown / 1000;
}

const WEIGHTS: JobStatus[] = ["done", "running", "cancelled", "failed"];
const WAITING = WEIGHTS.length + 1;

export function buildChart(snapshot: SessionSnapshot, now: number, options: ChartOptions) {
  const { range, width, rows, colors } = options;
  const narrow = width < 520;
  const margin = { l: narrow ? 66 : 112, r: narrow ? 10 : 18, t: 24, b: 26 };
  const plotWidth = Math.max(80, width - margin.l - margin.r);
  // plotly shows numbers as dates in the reader's time zone
  const x = (time: number) => time * 1000;
  const pixels = (seconds: number) => (seconds / (range[1] - range[0])) * plotWidth;
  const frame: Frame = { snapshot, now, range, plotWidth, x, pixels, colors, own: rows - 1 };
  const periods = activePeriods(snapshot, now);
  const idle = idleGaps(snapshot, now, periods);
  const dash = dashes(frame, idle);
  const bandPart = bands(frame, periods);
  return {
    data: [...otherTraces(frame), ...ownTraces(frame), ...dash.traces],
    layout: {
      width,
      height: rows === 2 ? 164 : 124,
      margin,
      barmode: "overlay",
      showlegend: false,
      hovermode: "closest",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: colors.font, size: 11, color: colors.muted },
      hoverlabel: {
        bgcolor: colors.bg,
        bordercolor: colors.muted,
        font: { family: colors.font, size: 12, color: colors.text },
        align: "left",
      },
      xaxis: {
        type: "date",
        range: range.map(x),
        showgrid: false,
        zeroline: false,
        nticks: Math.max(2, Math.floor(plotWidth / 110)),
        ticks: "",
        // the margins have room; measuring every label costs more than drawing the bars
        ticklabeloverflow: "allow",
        tickformatstops: [
          { dtickrange: [null, 999], value: "%H:%M:%S.%L" },
          { dtickrange: [1000, 59_999], value: "%H:%M:%S" },
          { dtickrange: [60_000, 86_399_999], value: "%H:%M" },
          { dtickrange: [86_400_000, null], value: "%d %b" },
        ],
      },
      yaxis: {
        range: [-0.62, rows - 1 + 0.62],
        fixedrange: true,
        showgrid: false,
        zeroline: false,
        showticklabels: false,
      },
      shapes: [...bandPart.shapes, ...selection(frame, options.selected), ...nowLine(frame)],
      annotations: [
        ...rowLabels(frame, rows, margin.l, narrow),
        ...bandPart.annotations,
        ...dash.annotations,
      ],
    },
  };
}

interface Frame {
  snapshot: SessionSnapshot;
  now: number;
  range: Range;
  plotWidth: number;
  x: (time: number) => number;
  pixels: (seconds: number) => number;
  colors: Colors;
  /** The row of this session. */
  own: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Jobs

/** Jobs of a batch run side by side: each in one of a few lanes, so that none hides another. */
const MAX_LANES = 5;

function laneOf(frame: Frame, runs: Block[]): { lanes: number; lane: Map<number, number> } {
  const lane = new Map<number, number>();
  const free: number[] = [];
  const seen = runs.filter((run) => run.end >= frame.range[0] && run.begin <= frame.range[1]);
  if (frame.snapshot.mode !== "batch" || seen.length > SINGLE_BARS) return { lanes: 1, lane };
  for (const run of seen.toSorted((a, b) => a.begin - b.begin)) {
    let at = free.findIndex((until) => until <= run.begin);
    if (at < 0) at = free.length < MAX_LANES ? free.length : free.indexOf(Math.min(...free));
    free[at] = run.end;
    lane.set(run.index, at);
  }
  return { lanes: Math.max(1, free.length), lane };
}

function ownTraces(frame: Frame) {
  const { snapshot, now, colors } = frame;
  const { jobs } = snapshot;
  const waits: Block[] = [];
  const runs: Block[] = [];
  jobs.forEach((job, index) => {
    const queued = queuedSeconds(job, now);
    if (queued > 0) {
      waits.push({ begin: job.created, end: job.created + queued, weight: WAITING, index });
    }
    const ran = ranSeconds(job, now);
    const weight = WEIGHTS.indexOf(job.status) + 1;
    if (job.started !== null) {
      runs.push({ begin: job.started, end: job.started + (ran ?? 0), weight, index });
    } else if (weight > 0 && job.finished !== null) {
      // it ended without running: a mark where it ended
      runs.push({ begin: job.finished, end: job.finished, weight, index });
    }
  });
  const { lanes, lane } = laneOf(frame, runs);
  const height = lanes > 1 ? 0.66 / lanes : 0.5;
  const y = (bar: Bar) =>
    lanes > 1 && bar.index !== null
      ? frame.own + 0.37 - (lane.get(bar.index)! + 0.5) * height
      : frame.own;
  const queue = lanes > 1 ? { y: () => frame.own - 0.38, height: 0.1 } : { y, height };
  const runBars = cut(frame, runs);
  const color = [colors.done, colors.running, colors.cancelled, colors.failed];
  const job = (index: number) => jobs[index]!;
  return [
    trace(frame, cut(frame, waits), { ...queue, color: colors.queued, job, many: "waited" }),
    ...WEIGHTS.map((status, i) => {
      const bars = runBars.filter((bar) => bar.weight === i + 1);
      return trace(frame, bars, { y, height: height * 0.94, color: color[i]!, job, many: status });
    }),
  ].filter((each) => each.x.length > 0);
}

function cut(frame: Frame, blocks: Block[]): Bar[] {
  return toBars(blocks, frame.range[0], frame.range[1], frame.plotWidth);
}

function otherTraces(frame: Frame) {
  if (frame.own === 0) return [];
  const { snapshot, now, colors } = frame;
  const waits: Block[] = [];
  const runs: Block[] = [];
  snapshot.others.forEach(([created, started, finished], index) => {
    const end = started ?? finished ?? now;
    waits.push({ begin: created, end, weight: 1, index });
    if (started !== null) runs.push({ begin: started, end: finished ?? now, weight: 1, index });
  });
  const look = { y: () => 0, height: 0.4, job: null };
  const [wait, run] = ["other users' jobs, waiting", "other users' jobs, running"];
  return [
    trace(frame, cut(frame, waits), { ...look, color: colors.other, many: wait }),
    trace(frame, cut(frame, runs), { ...look, color: colors["other-run"], many: run }),
  ].filter((each) => each.x.length > 0);
}

interface Look {
  y: (bar: Bar) => number;
  height: number;
  color: string;
  job: ((index: number) => JobRecord) | null;
  /** What to say of a bar that stands for many jobs. */
  many: string;
}

function trace(frame: Frame, bars: Bar[], { y, height, color, job, many }: Look) {
  const text = (bar: Bar) =>
    job && bar.index !== null
      ? details(job(bar.index), frame.now)
      : `${plural(bar.count, "job")}: ${many}`;
  return {
    type: "bar",
    orientation: "h",
    base: bars.map((bar) => frame.x(bar.begin)),
    x: bars.map((bar) => (bar.end - bar.begin) * 1000),
    y: bars.map(y),
    width: height,
    marker: { color, cornerradius: bars.length > SINGLE_BARS ? 0 : 2, line: { width: 0 } },
    customdata: bars.map((bar) => (job && bar.index !== null ? job(bar.index).id : null)),
    hovertext: bars.map(text),
    hoverinfo: "text",
    textposition: "none",
  };
}

function details(job: JobRecord, now: number): string {
  const approximate = job.exact ? "" : " (as seen by polling)";
  const lines = [
    `<b>${escapeHtml(job.id)}</b>`,
    `${escapeHtml(job.program)}${job.pubs === null ? "" : ` · ${plural(job.pubs, "pub")}`} · ${STATUS_WORDS[job.status]}`,
    `submitted ${formatClock(job.created, now)}, queued ${formatSeconds(queuedSeconds(job, now))}`,
  ];
  const ran = ranSeconds(job, now);
  if (ran !== null) lines.push(`ran ${formatSeconds(ran)}${approximate}`);
  if (job.qpu_seconds !== null) lines.push(`QPU ${formatSeconds(job.qpu_seconds)}`);
  if (job.error !== null) lines.push(escapeHtml(job.error));
  if (job.stray) lines.push("outside the session");
  return lines.join("<br>");
}

// plotly reads a few HTML tags in texts; a job's error is the service's text
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// ---------------------------------------------------------------------------------------------------------------------
// The session around them

function rowLabels(frame: Frame, rows: 1 | 2, left: number, narrow: boolean): unknown[] {
  return [`this ${noun(frame.snapshot)}`, "other users"].slice(0, rows).map((words, i) => ({
    x: 0,
    y: rows - 1 - i,
    xref: "paper",
    yref: "y",
    xanchor: "left",
    yanchor: "middle",
    xshift: (narrow ? 12 : 16) - left,
    align: "left",
    showarrow: false,
    text: narrow ? words.replace(" ", "<br>") : words,
    font: { size: narrow ? 10.5 : 12, color: frame.colors.muted },
  }));
}

const MAX_BANDS = 60;

function bands(frame: Frame, periods: Span[]) {
  const { snapshot, now, colors, pixels, x } = frame;
  const shapes: unknown[] = [];
  const annotations: unknown[] = [];
  const end = snapshot.state === "closed" ? (snapshot.closed_at ?? now) : now;
  let labelFrom = -Infinity;
  const label = (time: number, span: number, texts: [number, string][]) => {
    const from = Math.max(time, frame.range[0]);
    const room = pixels(Math.min(time + span, frame.range[1]) - from);
    const fits = texts.find(([width]) => width <= room);
    if (!fits || from < labelFrom) return;
    labelFrom = from + (fits[0] / frame.plotWidth) * (frame.range[1] - frame.range[0]);
    annotations.push(note(x(from), fits[1], colors.muted, { xshift: 4 }));
  };
  periods.slice(-MAX_BANDS).forEach(([from, to], i, shown) => {
    shapes.push(band(x(from), x(to), colors.band));
    label(from, to - from, [[44, "active"]]);
    const next = shown[i + 1]?.[0] ?? end;
    if (next - to < 0.5) return;
    shapes.push(band(x(to), x(next), colors["off-band"]));
    label(to, next - to, [
      [232, "deactivated, back in the normal queue"],
      [76, "deactivated"],
    ]);
  });
  return { shapes, annotations };
}

function band(x0: number, x1: number, fillcolor: string) {
  const place = { xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below" };
  return { type: "rect", ...place, x0, x1, fillcolor, line: { width: 0 } };
}

function note(x: number, text: string, color: string, more: object) {
  return {
    x,
    y: 1,
    xref: "x",
    yref: "paper",
    xanchor: "left",
    yanchor: "bottom",
    showarrow: false,
    text,
    font: { size: 11, color },
    ...more,
  };
}

/** The idle times that were or are billed: gaps between jobs, cut where the session was deactivated. */
export function idleGaps(snapshot: SessionSnapshot, now: number, periods: Span[]): Span[] {
  if (snapshot.mode === "batch") return [];
  const found: Span[] = gaps(snapshot, now).map(({ begin, end }) => [begin, end]);
  const runs = busySpans(snapshot, now);
  const last = runs[runs.length - 1];
  if (last && pendingJobs(snapshot).length === 0) found.push([last[1], now]);
  return found.flatMap(([begin, end]) =>
    periods
      .map(([from, to]): Span => [Math.max(begin, from), Math.min(end, to)])
      .filter(([from, to]) => to > from),
  );
}

function dashes(frame: Frame, idle: Span[]) {
  const { colors, x, pixels, own } = frame;
  const price = frame.snapshot.service.price_per_second;
  const shown = idle.filter(([begin, end]) => pixels(end - begin) >= 26).slice(-200);
  const line = { x: [] as (number | null)[], y: [] as (number | null)[] };
  const middles: number[] = [];
  const texts: string[] = [];
  const annotations: unknown[] = [];
  for (const [begin, end] of shown) {
    const cost = price === null ? "" : `, ≈ ${formatMoney((end - begin) * price)}`;
    const words = `idle ${formatSeconds(end - begin)}`;
    line.x.push(x(begin), x(end), null);
    line.y.push(own, own, null);
    middles.push(x((begin + end) / 2));
    texts.push(words + cost);
    const room = pixels(end - begin);
    if (room < 54) continue;
    const text = room >= 120 && price !== null ? words + cost : words;
    annotations.push(
      note(x(begin), text, colors.warning, { y: own, yref: "y", xshift: 4, yshift: 2 }),
    );
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
      y: middles.map(() => own),
      marker: { size: 14, opacity: 0 },
      hovertext: texts,
      hoverinfo: "text",
    },
  ];
  return { traces, annotations };
}

function nowLine(frame: Frame): unknown[] {
  if (frame.snapshot.state === "closed") return [];
  const at = frame.x(frame.now);
  const line = { color: frame.colors.text, width: 1.5 };
  return [{ type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1.03, line }];
}

function selection(frame: Frame, selected: string | null): unknown[] {
  const job = selected === null ? null : frame.snapshot.jobs.find((each) => each.id === selected);
  if (!job) return [];
  const end = job.finished ?? frame.now;
  const margin = (2 / frame.plotWidth) * (frame.range[1] - frame.range[0]);
  return [
    {
      type: "rect",
      xref: "x",
      yref: "y",
      x0: frame.x(job.created - margin),
      x1: frame.x(end + margin),
      y0: frame.own - 0.34,
      y1: frame.own + 0.34,
      line: { color: frame.colors.text, width: 1.5 },
    },
  ];
}

export function barCount(chart: ReturnType<typeof buildChart>): number {
  return chart.data.reduce((sum, each) => sum + each.x.length, 0) + chart.layout.shapes.length;
}
