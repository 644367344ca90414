// The timeline as plotly's data and layout: a function of the snapshot, the time, the width and the theme's colours.
import { gaps } from "../shared/advice";
import { activePeriods, busySpans, pendingJobs, type Span } from "../shared/countdowns";
import { formatClock, formatMoney, formatSeconds, plural } from "../shared/format";
import type { JobRecord, JobStatus, SessionSnapshot } from "../shared/snapshot.gen";
import { toBars, type Bar, type Block } from "./bins";
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

/** Seconds to take from service time so that plotly, which shows UTC, shows the reader's clock. */
export function zoneShift(snapshot: SessionSnapshot): number {
  return new Date((snapshot.opened_at ?? snapshot.answered_at) * 1000).getTimezoneOffset() * 60;
}

const WEIGHTS: JobStatus[] = ["done", "running", "cancelled", "failed"];
const WAITING = WEIGHTS.length + 1;

export function buildChart(snapshot: SessionSnapshot, now: number, options: ChartOptions) {
  const { range, width, rows, colors } = options;
  const narrow = width < 520;
  const margin = { l: narrow ? 64 : 112, r: narrow ? 10 : 18, t: 24, b: 26 };
  const plotWidth = Math.max(80, width - margin.l - margin.r);
  const shift = zoneShift(snapshot);
  const x = (time: number) => (time - shift) * 1000;
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
        tickvals: rows === 2 ? [1, 0] : [0],
        ticktext: narrow
          ? ["this<br>session", "other<br>users"].slice(0, rows)
          : ["this session", "other users"].slice(0, rows),
        tickfont: { size: narrow ? 10 : 12 },
        ticks: "outside",
        ticklen: narrow ? 4 : 12,
        tickcolor: "rgba(0,0,0,0)",
        automargin: false,
      },
      shapes: [...bandPart.shapes, ...selection(frame, options.selected), ...nowLine(frame)],
      annotations: [...bandPart.annotations, ...dash.annotations],
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

function ownTraces(frame: Frame) {
  const { snapshot, now, colors } = frame;
  const { jobs } = snapshot;
  const waits: Block[] = [];
  const runs: Block[] = [];
  jobs.forEach((job, index) => {
    const queued = queuedSeconds(job, now);
    if (queued > 0)
      waits.push({ begin: job.created, end: job.created + queued, weight: WAITING, index });
    const ran = ranSeconds(job, now);
    const weight = WEIGHTS.indexOf(job.status) + 1;
    if (job.started !== null) {
      runs.push({ begin: job.started, end: job.started + (ran ?? 0), weight, index });
    } else if (weight > 0 && job.finished !== null) {
      // it ended without running: a mark where it ended
      runs.push({ begin: job.finished, end: job.finished, weight, index });
    }
  });
  const runBars = cut(frame, runs);
  const color = [colors.done, colors.running, colors.cancelled, colors.failed];
  return [
    trace(
      frame,
      frame.own,
      cut(frame, waits),
      colors.queued,
      (index) => jobs[index]!,
      "waited in the queue",
    ),
    ...WEIGHTS.map((status, i) => {
      const bars = runBars.filter((bar) => bar.weight === i + 1);
      return trace(frame, frame.own, bars, color[i]!, (index) => jobs[index]!, status);
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
  return [
    trace(frame, 0, cut(frame, waits), colors.other, null, "other users' jobs, waiting"),
    trace(frame, 0, cut(frame, runs), colors["other-run"], null, "other users' jobs, running"),
  ].filter((each) => each.x.length > 0);
}

function trace(
  frame: Frame,
  row: number,
  bars: Bar[],
  color: string,
  job: ((index: number) => JobRecord) | null,
  many: string,
) {
  const text = (bar: Bar) =>
    job && bar.index !== null
      ? details(job(bar.index), frame.now)
      : `${plural(bar.count, "job")}: ${many}`;
  return {
    type: "bar",
    orientation: "h",
    base: bars.map((bar) => frame.x(bar.begin)),
    x: bars.map((bar) => (bar.end - bar.begin) * 1000),
    y: bars.map(() => row),
    width: job ? 0.5 : 0.4,
    marker: { color, cornerradius: 2, line: { width: 0 } },
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
  const shown = idle.filter(([begin, end]) => pixels(end - begin) >= 8).slice(-200);
  const xs: (number | null)[] = [];
  const ys: (number | null)[] = [];
  const texts: (string | null)[] = [];
  const annotations: unknown[] = [];
  for (const [begin, end] of shown) {
    const cost = price === null ? "" : `, ≈ ${formatMoney((end - begin) * price)}`;
    const words = `idle ${formatSeconds(end - begin)}`;
    xs.push(x(begin), x(end), null);
    ys.push(own, own, null);
    texts.push(words + cost, words + cost, null);
    const room = pixels(end - begin);
    if (room < 54) continue;
    const text = room >= 120 && price !== null ? words + cost : words;
    annotations.push(
      note(x(begin), text, colors.warning, { y: own, yref: "y", xshift: 4, yshift: 2 }),
    );
  }
  const traces =
    xs.length === 0
      ? []
      : [
          {
            type: "scatter",
            mode: "lines",
            x: xs,
            y: ys,
            line: { color: colors.warning, width: 1.5, dash: "3px,3px" },
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
