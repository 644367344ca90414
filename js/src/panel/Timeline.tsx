import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatClock, plural } from "#shared/format";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { Theme } from "#shared/theme";
import { buildChart, chartRange, fromAxis, readColors, type Range } from "./chart";
import { plotly, type Plotly, type PlotlyElement } from "./plotly";
import type { SessionStore } from "./store";

interface Props {
  store: SessionStore;
  now: number;
  theme: Theme;
  selected: string | null;
  onSelect: (id: string | null) => void;
}

const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, scrollZoom: false };

export function Timeline({ store, now, theme, selected, onSelect }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [library, setLibrary] = useState<Plotly | null>(null);
  const [width, setWidth] = useState(0);
  const [zoom, setZoom] = useState<Range | null>(null);
  const drawn = useRef<{ key: unknown[]; now: number; at: number } | null>(null);
  const select = useRef(onSelect);
  select.current = onSelect;
  const known = store.snapshot;
  const snapshot = useMemo(
    () => (store.jobsKnown ? known : { ...known, jobs: [] }),
    [known, store.jobsKnown],
  );
  const rows = snapshot.others.length > 0 ? 2 : 1;

  useEffect(() => {
    let alive = true;
    const wait = () =>
      plotly(() => store.send({ type: "asset", name: "plotly" })).then((found) => {
        if (alive) setLibrary(() => found);
      });
    void wait();
    // should the panel that asked have gone, another one asks
    const again = setInterval(() => void wait(), 25_000);
    void wait().then(() => clearInterval(again));
    return () => {
      alive = false;
      clearInterval(again);
    };
  }, [store]);

  useEffect(() => {
    const el = box.current!;
    const observer = new ResizeObserver(() => setWidth(Math.round(el.clientWidth)));
    observer.observe(el);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const el = box.current!;
    if (!library || width === 0) return;
    const range = zoom ?? chartRange(snapshot, now);
    const key = [library, width, zoom, snapshot, theme, selected, rows];
    const last = drawn.current;
    const pixels = last ? ((now - last.now) / (range[1] - range[0])) * width : Infinity;
    // time alone is worth a drawing when the now-line has moved visibly, and not every second
    const moved = Math.abs(pixels);
    const rested = last ? performance.now() - last.at : Infinity;
    const due = moved >= 4 || (moved >= 1 && rested > 2500);
    if (last && key.every((part, i) => part === last.key[i]) && !due) return;
    const first = last === null;
    drawn.current = { key, now, at: performance.now() };
    const chart = buildChart(snapshot, now, {
      range,
      width,
      rows,
      colors: readColors(el),
      selected,
    });
    void library.react(el, chart.data, chart.layout, CONFIG).then(() => {
      if (first) listen(el as unknown as PlotlyElement);
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
    <div class={`qs-timeline qs-rows-${rows}`}>
      <div ref={box} class="qs-chart" role="img" aria-label={describe(snapshot, now)} />
      {!library && <Placeholder rows={rows} />}
      {zoom && (
        <button type="button" class="qs-zoom" onClick={() => setZoom(null)}>
          Show all
        </button>
      )}
    </div>
  );
}

function Placeholder({ rows }: { rows: number }) {
  return (
    <div class="qs-placeholder" aria-hidden="true">
      <span>this session</span>
      <i />
      {rows > 1 && (
        <>
          <span>other users</span>
          <i />
        </>
      )}
    </div>
  );
}

function describe(snapshot: SessionSnapshot, now: number): string {
  const { jobs, opened_at: opened, active_periods: periods } = snapshot;
  const since = opened === null ? "" : ` since ${formatClock(opened, now)}`;
  const active = plural(periods.length, "active period");
  return `Timeline${since}: ${plural(jobs.length, "job")}, ${active}. The table below lists the jobs.`;
}
