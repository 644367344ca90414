// The timeline's past as plotly's data and layout. Pending jobs are drawn over it (LiveLayer.tsx), so that plotly draws
// again only when a pixel of the past changes.
import { t } from "#shared/translation";
import { activePeriods, type Span } from "#shared/metrics";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { FinishedBars } from "./jobSpans";
import { ABOVE, BELOW, type Colors, type ChartScale } from "./scale";
import { dashes, otherTraces, ownTraces } from "./traces";

/** Service time from a place on plotly's axis: milliseconds, or a date and time in the reader's time zone. */
export function fromAxis(value: unknown): number {
  const shown = typeof value === "number" ? value : Date.parse(String(value).replace(" ", "T"));
  return shown / 1000;
}

/** Plotly shows numbers as dates in the reader's time zone. */
export const toAxis = (time: number) => time * 1000;

export interface Scene {
  snapshot: SessionSnapshot;
  now: number;
  frame: ChartScale;
  colors: Colors;
}

export function buildChart(scene: Scene, finished: FinishedBars) {
  const { snapshot, now, frame, colors } = scene;
  const { size, own } = frame;
  const periods = activePeriods(snapshot, now);
  const dash = dashes(scene, periods);
  const bandPart = bands(scene, periods);
  return {
    data: [...otherTraces(scene), ...ownTraces(scene, finished.bars()), ...dash.traces],
    layout: {
      width: size.width,
      height: size.height,
      margin: size.margin,
      barmode: "overlay",
      showlegend: false,
      hovermode: "closest",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: colors.font, size: 11 * size.scale, color: colors.muted },
      hoverlabel: {
        bgcolor: colors.bg,
        bordercolor: colors.muted,
        font: { family: colors.font, size: 12 * size.scale, color: colors.text },
        align: "left",
      },
      xaxis: {
        type: "date",
        range: frame.range.map(toAxis),
        showgrid: false,
        zeroline: false,
        nticks: Math.max(3, Math.floor(size.plotWidth / (size.scale * (size.narrow ? 70 : 110)))),
        ticks: "",
        // the margins have room; measuring every label costs more than drawing the bars
        ticklabeloverflow: "allow",
        tickformatstops: [
          { dtickrange: [null, 999], value: "%M:%S.%L" },
          { dtickrange: [1000, 59_999], value: "%H:%M:%S" },
          { dtickrange: [60_000, 86_399_999], value: "%H:%M" },
          { dtickrange: [86_400_000, null], value: "%d %b" },
        ],
      },
      yaxis: {
        range: [-BELOW, own + ABOVE],
        fixedrange: true,
        showgrid: false,
        zeroline: false,
        showticklabels: false,
      },
      shapes: bandPart.shapes,
      annotations: [...rowLabels(scene), ...bandPart.annotations, ...dash.annotations],
    },
  };
}

function rowLabels({ frame, colors }: Scene): unknown[] {
  const { narrow, margin, scale } = frame.size;
  const rows: [string, number][] = [
    [t`waiting`, frame.wait.row],
    [t`on the QPU`, frame.own],
    [t`other users`, frame.own - 1],
  ];
  return rows.slice(0, frame.rows + 1).map(([words, y]) => ({
    x: 0,
    y,
    xref: "paper",
    yref: "y",
    xanchor: "left",
    yanchor: "middle",
    xshift: (narrow ? 10 : 14) - margin.l,
    align: "left",
    showarrow: false,
    text: narrow ? words.replace(" ", "<br>") : words,
    font: { size: scale * (narrow ? 10.5 : 12), color: colors.muted },
  }));
}

const MAX_BANDS = 60;

/** When the session was active and when deactivated; what it is now, it is to the edge of the picture. */
function bands({ snapshot, now, frame, colors }: Scene, periods: Span[]) {
  const shapes: unknown[] = [];
  const annotations: unknown[] = [];
  const [first, edge] = frame.range;
  const end = snapshot.state === "closed" ? (snapshot.closed_at ?? now) : edge;
  let labelFrom = -Infinity;
  const label = (time: number, until: number, texts: [number, string][]) => {
    const from = Math.max(time, first);
    const room = frame.pixels(Math.min(until, edge) - from);
    const fits = texts.find(([width]) => width * frame.size.scale <= room);
    if (!fits || from < labelFrom) return;
    labelFrom = from + ((fits[0] * frame.size.scale) / frame.size.plotWidth) * (edge - first);
    annotations.push(note(from, fits[1], colors.muted, { xshift: 4 }));
  };
  periods.slice(-MAX_BANDS).forEach(([from, until], i, shown) => {
    const last = i === shown.length - 1;
    const to = last && snapshot.state === "active" ? edge : until;
    shapes.push(band(from, to, colors.band, colors));
    label(from, to, [[44, t`active`]]);
    const next = shown[i + 1]?.[0] ?? end;
    if (next - to < 0.5) return;
    shapes.push(band(to, next, colors["off-band"], colors));
    label(to, next, [
      [232, t`deactivated, back in the normal queue`],
      [76, t`deactivated`],
    ]);
  });
  return { shapes, annotations };
}

function band(from: number, to: number, fillcolor: string, { forced, queued }: Colors) {
  const place = { xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below" };
  return {
    type: "rect",
    ...place,
    x0: toAxis(from),
    x1: toAxis(to),
    fillcolor,
    // forced colours leave no two backgrounds
    line: { width: forced ? 1 : 0, color: queued },
  };
}

export function note(time: number, text: string, color: string, more: object) {
  return {
    x: toAxis(time),
    y: 1,
    xref: "x",
    yref: "paper",
    xanchor: "left",
    yanchor: "bottom",
    showarrow: false,
    text,
    font: { color },
    ...more,
  };
}
