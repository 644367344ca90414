import { t } from "#shared/translation";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatClock, plural } from "#shared/formatting";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { Theme } from "#shared/theme";
import { lanesOf, FinishedBars, type Range } from "./jobSpans";
import { buildChart, fromAxis } from "./chart";
import { chartRange, ChartScale, boxOf, readColors, sizeOf, type ChartBox } from "./scale";
import { Legend } from "./Legend";
import { Live } from "./LiveLayer";
import { hasObjective, Objective, ObjectiveWords } from "./Objective";
import { plotly, type Plotly, type PlotlyElement } from "../state/plotlyAsset";
import type { SessionStore } from "../state/store";
import { idleGaps } from "./traces";

interface Props {
  store: SessionStore;
  now: number;
  theme: Theme;
  /** The objective alone, the jobs alone, or both. */
  lanes: "objective" | "timeline" | "all";
  selected: string | null;
  onSelect: (id: string | null) => void;
}

/** The inputs of plotly's last drawing. */
interface Drawn {
  key: unknown[];
  place: ChartBox;
  frame: ChartScale;
  finished: FinishedBars;
  now: number;
  at: number;
}

const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, scrollZoom: false };

export function Timeline({ store, now, theme, lanes, selected, onSelect }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [library, setLibrary] = useState<Plotly | null>(null);
  const [place, setPlace] = useState<ChartBox>({ width: 0, scale: 1 });
  const [zoom, setZoom] = useState<Range | null>(null);
  const drawn = useRef<Drawn | null>(null);
  const select = useRef(onSelect);
  select.current = onSelect;
  const known = store.snapshot;
  const snapshot = useMemo(
    () => (store.jobsKnown ? known : { ...known, jobs: [] }),
    [known, store.jobsKnown],
  );
  const rows = snapshot.others.length > 0 ? 2 : 1;

  useEffect(() => {
    if (lanes === "objective") return;
    let alive = true;
    const ask = () => plotly(() => store.send({ type: "asset", name: "plotly" }));
    // the panel that asked may have gone, or its question may lie behind a cell that runs
    const again = setInterval(ask, 2_000);
    void ask().then((found) => {
      clearInterval(again);
      if (alive) setLibrary(() => found);
    });
    return () => {
      alive = false;
      clearInterval(again);
    };
  }, [store]);

  useEffect(() => {
    const el = box.current!;
    const observer = new ResizeObserver(() => {
      const found = boxOf(el);
      setPlace((last) => (last.width === found.width && last.scale === found.scale ? last : found));
    });
    observer.observe(el);
    return () => observer.disconnect();
  }, []);

  const view = place.width > 0 ? plan() : null;

  function plan(): Drawn {
    const last = drawn.current;
    // time alone is worth a drawing of the past when now has moved visibly, and not every second
    const moved = last ? Math.abs(last.frame.pixels(now - last.now)) : Infinity;
    const rested = last ? performance.now() - last.at : Infinity;
    const stay = moved < 1 || (moved < 4 && rested <= 2500);
    const same = last?.place === place && last.frame.rows === rows ? last : null;
    const closed = snapshot.state === "closed";
    const range = zoom ?? (same && stay && !closed ? same.frame.range : chartRange(snapshot, now));
    const keep = same && range.every((time, i) => time === same.frame.range[i]) ? same : null;
    const finished = keep?.finished ?? new FinishedBars(range, sizeOf(place, rows).plotWidth);
    finished.update(snapshot.jobs);
    const frame =
      keep && snapshot.mode === "dedicated"
        ? keep.frame
        : new ChartScale(range, place, rows, lanesOf(snapshot, now, finished));
    const gaps = idleGaps({ snapshot, frame }, spansOf(snapshot));
    const key = [
      library,
      theme,
      ...range,
      place,
      rows,
      finished.version,
      frame.lanes.count,
      gaps.length,
      ...(gaps.at(-1) ?? []),
      snapshot.active_periods,
      snapshot.others,
      snapshot.state,
      snapshot.closed_at,
      snapshot.service.price_per_second,
      stay ? null : now,
    ];
    return { key, place, frame, finished, now, at: performance.now() };
  }

  useEffect(() => {
    const el = box.current!;
    if (!library || !view) return;
    const last = drawn.current;
    const changed = !last || view.key.some((part, i) => part !== last.key[i] && part !== null);
    if (!changed && view.key.length === last.key.length) return;
    drawn.current = view;
    const scene = { snapshot, now, frame: view.frame, colors: readColors(el) };
    const chart = buildChart(scene, view.finished);
    void library.react(el, chart.data, chart.layout, CONFIG).then(() => {
      if (last === null) listen(el as unknown as PlotlyElement);
    });
  });

  useEffect(() => {
    const el = box.current!;
    return () => library?.purge(el);
  }, [library]);

  const listen = (el: PlotlyElement) => {
    el.on("plotly_click", (event: { points: { customdata?: unknown }[] }) => {
      const id = event.points.find((point) => typeof point.customdata === "string")?.customdata;
      if (typeof id === "string") select.current(id);
    });
    el.on("plotly_relayout", (change: Record<string, unknown>) => {
      const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (from !== undefined && to !== undefined) setZoom([fromAxis(from), fromAxis(to)]);
    });
    el.on("plotly_doubleclick", () => setZoom(null));
  };

  return (
    <div class={`qs-timeline qs-lanes-${lanes}`}>
      <div class="qs-timeline-head">
        {lanes !== "objective" && <Legend store={store} best={lanes === "all"} />}
        {lanes !== "timeline" && <ObjectiveWords store={store} onSelect={onSelect} />}
        {zoom && (
          <button type="button" class="qs-zoom" onClick={() => setZoom(null)}>
            {snapshot.state === "closed" ? t`Show all` : t`Follow now`}
          </button>
        )}
      </div>
      {view && lanes !== "timeline" && hasObjective(store) && (
        <Objective {...{ store, now, selected, onSelect }} frame={view.frame} />
      )}
      <div class={`qs-jobs-chart qs-rows-${rows}`}>
        <div ref={box} class="qs-chart" role="img" aria-label={describe(snapshot, now)} />
        {lanes === "objective" ? null : view && library ? (
          <Live {...{ snapshot, now, selected, onSelect }} frame={view.frame} />
        ) : (
          <Placeholder rows={rows} />
        )}
      </div>
    </div>
  );
}

function Placeholder({ rows }: { rows: number }) {
  return (
    <div class="qs-placeholder" aria-hidden="true">
      <span>{t`on the QPU`}</span>
      <i />
      {rows > 1 && (
        <>
          <span>{t`other users`}</span>
          <i />
        </>
      )}
    </div>
  );
}

function describe(snapshot: SessionSnapshot, now: number): string {
  const { jobs, opened_at: opened, active_periods: periods } = snapshot;
  const since = opened === null ? "" : t` since ${formatClock(opened, now)}`;
  const active = plural(periods.length, "active period");
  return t`Timeline${since}: ${plural(jobs.length, "job")}, ${active}. The table below lists the jobs.`;
}

/** Active periods, one that lasts without an end: gaps between jobs all lie before now. */
function spansOf(snapshot: SessionSnapshot): [number, number][] {
  return snapshot.active_periods.map(([begin, end]) => [begin, end ?? Infinity]);
}
